package io.regionfs.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.regionfs.metaserver.LocalLog;
import io.regionfs.metaserver.MetadataOptions;
import io.regionfs.metaserver.MetadataService;
import io.regionfs.metaserver.state.Replica;
import io.regionfs.model.Errno;
import io.regionfs.model.FileType;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.model.Name;
import io.regionfs.model.NodeId;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.rpc.RpcClient;
import io.regionfs.rpc.RpcException;
import io.regionfs.rpc.RpcException.Outcome;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The client against a service that is reached badly. */
class MetadataClientTest {
  private static final MetadataOptions OPTIONS =
      new MetadataOptions("cluster", "here", Duration.ofMinutes(10));

  private final Replica replica = new Replica();
  private final MetadataService service =
      new MetadataService(OPTIONS, replica, new LocalLog(replica));

  @AfterEach
  void close() {
    service.close();
  }

  /** Calls straight into the service; the test says what gets lost. */
  private class Line implements RpcClient {
    @Override
    public Reply call(Request request, Duration deadline, BooleanSupplier abandoned)
        throws RpcException, InterruptedException {
      CompletableFuture<Reply> answer = new CompletableFuture<>();
      service.handle(request, answer::complete);
      try {
        return answer.get(deadline.toMillis(), TimeUnit.MILLISECONDS);
      } catch (ExecutionException | TimeoutException e) {
        throw new RpcException(Outcome.UNKNOWN, "no answer", e);
      }
    }

    @Override
    public void close() {}
  }

  /** Loses requests and replies, and lets old requests come again. */
  private final class LossyLine extends Line {
    private final Random random;
    private final ConcurrentLinkedQueue<Request> old = new ConcurrentLinkedQueue<>();

    LossyLine(long seed) {
      random = new Random(seed);
    }

    @Override
    public Reply call(Request request, Duration deadline, BooleanSupplier abandoned)
        throws RpcException, InterruptedException {
      int fate = random.nextInt(10);
      if (fate == 0) {
        throw new RpcException(Outcome.NOT_SENT, "not sent");
      }
      if (fate == 1) {
        old.add(request);
        throw new RpcException(Outcome.UNKNOWN, "still under way");
      }
      Reply reply = super.call(request, deadline, abandoned);
      if (fate == 2) {
        throw new RpcException(Outcome.UNKNOWN, "reply lost");
      }
      Request late = random.nextInt(5) == 0 ? old.poll() : null;
      if (late != null) {
        service.handle(late, ignored -> {});
      }
      return reply;
    }
  }

  private static NewInode file(String name) {
    return new NewInode(
        InodeId.ROOT,
        Name.of(name),
        FileType.FILE,
        0644,
        0,
        0,
        0,
        ByteString.EMPTY,
        NodeId.NONE,
        false,
        false);
  }

  @Test
  void commandsCountOnceOverALossyLine() throws Exception {
    long seed = System.nanoTime();
    System.out.println("commandsCountOnceOverALossyLine: seed " + seed);
    ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
    try (LossyLine line = new LossyLine(seed);
        MetadataClient client = new MetadataClient(List.of(line), MetadataClientOptions.PATIENT)) {
      List<Thread> threads = new ArrayList<>();
      for (int t = 0; t < 8; t++) {
        String prefix = "t" + t + "-";
        Thread thread = new Thread(() -> createRenameRemove(client, prefix), prefix);
        thread.setUncaughtExceptionHandler((who, failure) -> failures.add(failure));
        threads.add(thread);
        thread.start();
      }
      for (Thread thread : threads) {
        thread.join();
      }
      assertThat(failures).isEmpty();
      assertThat(client.list(InodeId.ROOT, 0).entries()).hasSize(8 * 10);
    }
  }

  /** Each step would fail if it, or an older one, were applied a second time. */
  private static void createRenameRemove(MetadataClient client, String prefix) {
    for (int i = 0; i < 20; i++) {
      InodeId made = client.create(file(prefix + i)).inode();
      assertThat(client.link(made, InodeId.ROOT, Name.of(prefix + "x")).links()).isEqualTo(2);
      client.unlink(InodeId.ROOT, Name.of(prefix + i));
      client.rename(InodeId.ROOT, Name.of(prefix + "x"), InodeId.ROOT, Name.of(prefix + i), 1);
      if (i % 2 == 0) {
        client.unlink(InodeId.ROOT, Name.of(prefix + i));
      }
    }
  }

  @Test
  void aReplicaThatDoesNotAnswerIsPassedOver() {
    try (Line line = new Line();
        RpcClient dead = new DeadLine();
        MetadataClient client =
            new MetadataClient(List.of(dead, dead, line), MetadataClientOptions.PATIENT)) {
      assertThat(client.attributes(InodeId.ROOT).links()).isEqualTo(2);
    }
  }

  private static final class DeadLine implements RpcClient {
    @Override
    public Reply call(Request request, Duration deadline, BooleanSupplier abandoned)
        throws RpcException {
      throw new RpcException(Outcome.NOT_SENT, "dead");
    }

    @Override
    public void close() {}
  }

  @Test
  void aClosedClientDoesNotWait() {
    try (RpcClient dead = new DeadLine()) {
      MetadataClient client = new MetadataClient(List.of(dead), MetadataClientOptions.PATIENT);
      client.close();
      assertThatThrownBy(() -> client.attributes(InodeId.ROOT))
          .isInstanceOfSatisfying(
              FsException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOTCONN));
    }
  }

  @Test
  void openingNeedsAMembership() {
    try (Line line = new Line();
        MetadataClient client = new MetadataClient(List.of(line), MetadataClientOptions.PATIENT)) {
      assertThatThrownBy(() -> client.open(InodeId.ROOT, false))
          .isInstanceOfSatisfying(
              FsException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOTCONN));
    }
  }

  /** A line that can be cut. */
  private final class Cut extends Line {
    private volatile boolean cut;

    @Override
    public Reply call(Request request, Duration deadline, BooleanSupplier abandoned)
        throws RpcException, InterruptedException {
      if (cut) {
        throw new RpcException(Outcome.NOT_SENT, "cut");
      }
      return super.call(request, deadline, abandoned);
    }
  }

  @Test
  void nodesAreFoundWithoutTheServiceAndRightAfterTheyJoined() {
    InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 1);
    try (Cut line = new Cut();
        MetadataClient first = new MetadataClient(List.of(line), MetadataClientOptions.PATIENT);
        MetadataClient second = new MetadataClient(List.of(line), MetadataClientOptions.PATIENT);
        Membership one =
            Membership.join(first, new Membership.Identity("one", 1, address, address))) {
      assertThat(first.node(one.node()).name()).isEqualTo("one");
      try (Membership two =
          Membership.join(second, new Membership.Identity("two", 2, address, address))) {
        assertThat(first.node(two.node()).name()).isEqualTo("two");
        line.cut = true;
        first.nodesVersion(99);
        assertThat(first.node(two.node()).name()).isEqualTo("two");
        line.cut = false;
      }
      assertThat(first.nodes()).extracting(Node::alive).containsExactly(true, false);
    }
  }
}
