package io.regionfs.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.regionfs.meta.FakeReplica.Mood;
import io.regionfs.model.AttributeChange;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.proto.Request;
import io.regionfs.rpc.local.LocalTransport;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How calls find the leader among three replicas, and what counts once while they do. */
@SuppressWarnings("MustBeClosedChecker") // start() and stop() open and close
class LeaderSearchTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** Attempts so long that a test which waits for one to end fails. */
  private static final MetadataClientOptions LONG_ATTEMPTS =
      new MetadataClientOptions(Duration.ofHours(1), null);

  private static final AttributeChange CHANGE =
      new AttributeChange(0700, null, null, null, null, null);

  private final LocalTransport transport = new LocalTransport();
  private final Map<Long, Boolean> sessions = FakeReplica.noSessions();
  private final List<FakeReplica> replicas = new ArrayList<>();
  private Replicas known;
  private MetadataClient client;

  @BeforeEach
  void start() throws Exception {
    for (int i = 0; i < 3; i++) {
      replicas.add(new FakeReplica(transport, sessions));
    }
    known = Replicas.at(addresses(), transport);
    client = new MetadataClient(known, LONG_ATTEMPTS);
  }

  private List<InetSocketAddress> addresses() {
    return replicas.stream().map(FakeReplica::address).toList();
  }

  @AfterEach
  void stop() {
    client.close();
    known.close();
    replicas.forEach(FakeReplica::close);
    transport.close();
  }

  private void lead(int leader, long term, int... followers) {
    replicas.get(leader).knows(term, replicas.get(leader));
    replicas.get(leader).be(Mood.LEADS);
    for (int follower : followers) {
      replicas.get(follower).knows(term, replicas.get(leader));
      replicas.get(follower).be(Mood.FOLLOWS);
    }
  }

  private void ask() {
    client.attributes(InodeId.ROOT);
  }

  private void command() {
    client.setAttributes(InodeId.ROOT, CHANGE);
  }

  private static CompletableFuture<Void> inBackground(Runnable task) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                task.run();
                done.complete(null);
              } catch (RuntimeException e) {
                done.completeExceptionally(e);
              }
            });
    thread.setDaemon(true);
    thread.start();
    return done;
  }

  private static void finished(CompletableFuture<Void> task) throws Exception {
    task.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  private static void await(BooleanSupplier condition) {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime() - end).as("time over").isNegative();
      LockSupport.parkNanos(1_000_000);
    }
  }

  private static void refused(Errno errno, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            FsException.class, e -> assertThat(e.errno()).as(e.getMessage()).isEqualTo(errno));
  }

  @Test
  void aHintLeadsToTheLeaderAndIsRemembered() {
    lead(2, 5, 0, 1);
    ask();
    ask();
    assertThat(replicas.get(0).requests).hasSize(1);
    assertThat(replicas.get(1).requests).isEmpty();
    assertThat(replicas.get(2).requests).hasSize(2);
  }

  @Test
  void aLeaderThatWasNotGivenIsFoundByItsAddress() throws Exception {
    try (FakeReplica added = new FakeReplica(transport, sessions)) {
      replicas.forEach(replica -> replica.knows(3, added));
      added.knows(3, added);
      added.be(Mood.LEADS);
      command();
      assertThat(added.operations).hasSize(1);
    }
  }

  @Test
  void aHintOfAnEarlierTermIsIgnored() {
    lead(2, 7, 0);
    replicas.get(1).knows(4, replicas.get(0));
    ask();
    lead(1, 8);
    replicas.get(2).be(Mood.FOLLOWS);
    replicas.get(2).knows(6, replicas.get(0));
    replicas.get(0).knows(8, replicas.get(1));
    ask();
    assertThat(replicas.get(1).requests).isNotEmpty();
  }

  @Test
  void callsWaitUntilSomeReplicaLeads() throws Exception {
    CompletableFuture<Void> command = inBackground(this::command);
    await(() -> replicas.stream().allMatch(replica -> replica.requests.size() > 2));
    assertThat(command).isNotDone();
    lead(1, 2, 0, 2);
    finished(command);
    assertThat(replicas.get(1).operations).hasSize(1);
  }

  @Test
  void aLeaderThatFallsSilentIsLeftForTheNextOne() throws Exception {
    lead(0, 1, 1, 2);
    command();
    replicas.get(0).be(Mood.SILENT);
    CompletableFuture<Void> first = inBackground(this::command);
    CompletableFuture<Void> second = inBackground(this::ask);
    // The others are asked, and still believe in the silent one.
    await(() -> replicas.get(2).requests.stream().filter(Request::hasAdministration).count() > 1);
    assertThat(first).isNotDone();
    lead(1, 2, 2);
    finished(first);
    finished(second);
    assertThat(replicas.get(1).operations).hasSize(1);
    assertThat(replicas.get(1).operations.get(0).getSequence()).isGreaterThan(1);
  }

  @Test
  void aSilentReplicaThatWasTriedInItsTurnIsLeftForTheLeaderOfThatTerm() throws Exception {
    lead(0, 5, 2);
    replicas.get(0).be(Mood.FOLLOWS); // elected, but it has not applied all yet
    replicas.get(1).be(Mood.SILENT);
    CompletableFuture<Void> command = inBackground(this::command);
    await(() -> !replicas.get(1).requests.isEmpty());
    assertThat(command).isNotDone();
    lead(0, 5);
    finished(command);
    assertThat(replicas.get(0).operations).isNotEmpty();
  }

  @Test
  void aLeaderThatDiedIsLeftAtOnce() throws Exception {
    lead(0, 1, 1, 2);
    command();
    replicas.get(0).close();
    CompletableFuture<Void> command = inBackground(this::command);
    await(() -> replicas.get(2).requests.size() > 2);
    lead(2, 2, 1);
    finished(command);
    assertThat(replicas.get(2).operations).hasSize(1);
  }

  @Test
  void aCommandWhoseReplyIsLostIsRepeatedUnderItsNumber() throws Exception {
    lead(0, 1, 1, 2);
    command();
    replicas.get(0).be(Mood.DEAF);
    CompletableFuture<Void> command = inBackground(this::command);
    await(() -> replicas.get(0).operations.size() == 2);
    lead(1, 2, 2);
    finished(command);
    Request lost = replicas.get(0).operations.get(1);
    Request repeated = replicas.get(1).operations.get(0);
    assertThat(repeated).isEqualTo(lost);
    assertThat(repeated.getVersion()).isEqualTo(MetadataProtocol.VERSION);
  }

  @Test
  void aWaitingCallCanBeInterrupted() {
    replicas.forEach(replica -> replica.be(Mood.SILENT));
    Thread.currentThread().interrupt();
    refused(Errno.EINTR, this::ask);
    CompletableFuture<Thread> thread = new CompletableFuture<>();
    CompletableFuture<Void> call =
        inBackground(
            () -> {
              thread.complete(Thread.currentThread());
              ask();
            });
    await(() -> replicas.stream().anyMatch(replica -> !replica.requests.isEmpty()));
    thread.join().interrupt();
    refused(Errno.EINTR, () -> joined(call));
  }

  private static void joined(CompletableFuture<Void> task) throws Throwable {
    try {
      finished(task);
    } catch (java.util.concurrent.ExecutionException e) {
      throw String.valueOf(e.getCause()).isEmpty() ? e : e.getCause();
    }
  }

  @Test
  void aSessionIsOpenedOnceAndAgainWhenItWasEnded() {
    lead(0, 1, 1, 2);
    command();
    command();
    assertThat(sessions).hasSize(1);
    long first = replicas.get(0).operations.get(0).getClientId();
    replicas.get(0).be(Mood.FORGETFUL);
    command();
    assertThat(sessions).hasSize(1).doesNotContainKey(first);
    assertThat(replicas.get(0).operations).hasSize(3);
  }

  @Test
  void aSessionThatEndsWhileAnOutcomeIsUnknownIsAnError() throws Exception {
    lead(0, 1, 1, 2);
    command();
    replicas.get(0).be(Mood.DEAF);
    CompletableFuture<Void> command = inBackground(this::command);
    await(() -> replicas.get(0).operations.size() == 2);
    sessions.clear();
    lead(1, 2, 2);
    refused(Errno.EIO, () -> joined(command));
    command();
    assertThat(replicas.get(1).operations).hasSize(1);
  }

  @Test
  void aServiceOfAnotherVersionIsAClearError() {
    replicas.forEach(replica -> replica.be(Mood.OTHER_VERSION));
    assertThatThrownBy(this::ask).hasMessageContaining("this speaks 7");
  }
}
