package io.regionfs.metaserver;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.regionfs.meta.Messages;
import io.regionfs.metaserver.ReplicatedLog.Leadership;
import io.regionfs.metaserver.state.Namespace;
import io.regionfs.metaserver.state.Replica;
import io.regionfs.metaserver.state.Tree;
import io.regionfs.model.Errno;
import io.regionfs.proto.Command;
import io.regionfs.proto.FileType;
import io.regionfs.proto.LookupQuery;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Query;
import io.regionfs.proto.Reply;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What every log does, on the replica that leads. */
public abstract class ReplicatedLogContract {
  private static final int DEADLINE_SECONDS = 60;

  /** A log that leads. */
  protected abstract ReplicatedLog log();

  /** Of the same replica. */
  protected abstract Replica replica();

  /** Creates a file in the root; its inode number is a function of {@code number}, as its name. */
  public static Command createFile(int number) {
    return Command.newBuilder()
        .setStamp(Messages.time(1_000_000_000L + number))
        .setNewInode(1_000 + number)
        .setOperation(
            Operation.newBuilder()
                .setCreate(Tree.creation(Tree.ROOT, name(number), FileType.FILE_TYPE_FILE)))
        .build();
  }

  public static String name(int number) {
    return "file-" + number;
  }

  public static boolean has(Replica replica, int number) {
    Query query =
        Query.newBuilder()
            .setLookup(
                LookupQuery.newBuilder()
                    .setParent(Tree.ROOT)
                    .setName(ByteString.copyFromUtf8(name(number))))
            .build();
    return replica.read(namespace -> namespace.query(query)).getErrno() == 0;
  }

  public static <T> T await(CompletableFuture<T> future) throws Exception {
    return future.get(DEADLINE_SECONDS, TimeUnit.SECONDS);
  }

  private CompletableFuture<Reply> propose(Command command) {
    return log().propose(command, log().leadership().term());
  }

  @Test
  void eachGetsItsOwnReply() throws Exception {
    List<CompletableFuture<Reply>> outcomes = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      outcomes.add(propose(createFile(i / 2))); // each name twice
    }
    for (int i = 0; i < 500; i++) {
      Reply reply = await(outcomes.get(i));
      if (i % 2 == 0) {
        assertThat(reply.getAttributes().getInode()).isEqualTo(1_000 + i / 2);
      } else {
        assertThat(Tree.errno(reply)).isEqualTo(Errno.EEXIST);
      }
    }
  }

  @Test
  void whatWasAnsweredIsThere() throws Exception {
    for (int i = 0; i < 20; i++) {
      await(propose(createFile(i)));
      await(log().barrier());
      assertThat(has(replica(), i)).isTrue();
    }
  }

  @Test
  void oneThreadsCommandsKeepTheirOrder() throws Exception {
    Replica inOrder = new Replica();
    long before = replica().read(Namespace::fingerprint);
    assertThat(inOrder.read(Namespace::fingerprint)).isEqualTo(before);
    List<CompletableFuture<Reply>> outcomes = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      inOrder.apply(createFile(i));
      outcomes.add(propose(createFile(i)));
    }
    for (CompletableFuture<Reply> outcome : outcomes) {
      await(outcome);
    }
    // Creation order shows in the directory's cookies.
    assertThat(replica().read(Namespace::fingerprint))
        .isEqualTo(inOrder.read(Namespace::fingerprint));
  }

  @Test
  void parallelCallersAreAllServed() throws Exception {
    List<Thread> callers = new ArrayList<>();
    List<CompletableFuture<Reply>> outcomes = new ArrayList<>();
    for (int caller = 0; caller < 8; caller++) {
      int first = caller * 100;
      Thread thread =
          new Thread(
              () -> {
                for (int i = first; i < first + 100; i++) {
                  CompletableFuture<Reply> outcome = propose(createFile(i));
                  synchronized (outcomes) {
                    outcomes.add(outcome);
                  }
                }
              });
      thread.start();
      callers.add(thread);
    }
    for (Thread caller : callers) {
      caller.join();
    }
    for (CompletableFuture<Reply> outcome : outcomes) {
      assertThat(await(outcome).getErrno()).isZero();
    }
    assertThat(outcomes).hasSize(800);
  }

  @Test
  void manyBarriersPass() throws Exception {
    List<CompletableFuture<Void>> barriers = new ArrayList<>();
    for (int i = 0; i < 1_000; i++) {
      barriers.add(log().barrier());
    }
    for (CompletableFuture<Void> barrier : barriers) {
      await(barrier);
    }
  }

  @Test
  void leadershipNamesTheLeader() {
    Leadership leadership = log().leadership();
    assertThat(leadership.leads()).isTrue();
    assertThat(leadership.term()).isPositive();
  }
}
