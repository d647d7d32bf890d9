package io.regionfs.metaserver.raft;

import com.alipay.sofa.jraft.Node;
import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.entity.Task;
import com.alipay.sofa.jraft.error.RaftError;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.metaserver.ReplicatedLog.NotLeading;
import io.regionfs.proto.Batch;
import io.regionfs.proto.Command;
import io.regionfs.proto.Reply;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Puts the commands of parallel callers into common entries of the log: the first goes at once,
 * those that come while it is on its way share the next. One monitor; futures complete outside it.
 */
final class Appender {
  /** Entries on their way. More gain nothing: the commands only spread over more of them. */
  private static final int MAX_IN_FLIGHT = 2;

  private static final int MAX_COMMANDS = 256;
  private static final int MAX_BYTES = 256 << 10;

  @GuardedBy("this")
  private final ArrayDeque<Proposal> waiting = new ArrayDeque<>();

  @GuardedBy("this")
  private final Set<Entry> inFlight = new HashSet<>();

  @GuardedBy("this")
  private @Nullable Node node;

  private record Proposal(
      Command command, long term, int bytes, CompletableFuture<Reply> outcome) {}

  /** From now on proposals go to this engine. */
  synchronized void attach(Node newNode) {
    node = newNode;
  }

  /** From now on proposals are refused; what is on its way goes on. */
  void detach() {
    List<Proposal> refused;
    synchronized (this) {
      node = null;
      refused = new ArrayList<>(waiting);
      waiting.clear();
    }
    NotLeading failure = new NotLeading("the log is closed");
    refused.forEach(proposal -> proposal.outcome.completeExceptionally(failure));
  }

  /** The engine has ended: of what it has not answered nobody knows. */
  void abandon() {
    List<Entry> lost;
    synchronized (this) {
      lost = new ArrayList<>(inFlight);
      inFlight.clear();
    }
    lost.forEach(entry -> entry.fail(new UnknownOutcome("the log was closed meanwhile")));
  }

  CompletableFuture<Reply> propose(Command command, long term) {
    Proposal proposal =
        new Proposal(command, term, command.getSerializedSize(), new CompletableFuture<>());
    synchronized (this) {
      if (node == null) {
        return CompletableFuture.failedFuture(new NotLeading("the log is closed"));
      }
      waiting.add(proposal);
      send();
    }
    return proposal.outcome;
  }

  @GuardedBy("this")
  private void send() {
    while (node != null && !waiting.isEmpty() && inFlight.size() < MAX_IN_FLIGHT) {
      Entry entry = nextEntry();
      inFlight.add(entry);
      Task task = new Task(ByteBuffer.wrap(entry.bytes()), entry, entry.term);
      try {
        node.apply(task);
      } catch (IllegalStateException e) {
        node = null; // It is closing, and tells the entry so from another thread.
      }
    }
  }

  @GuardedBy("this")
  private Entry nextEntry() {
    Proposal first = waiting.remove();
    Entry entry = new Entry(this, first.term);
    entry.proposals.add(first);
    int bytes = first.bytes;
    @Nullable Proposal next = waiting.peek();
    while (next != null
        && next.term == first.term
        && entry.proposals.size() < MAX_COMMANDS
        && bytes + next.bytes <= MAX_BYTES) {
      entry.proposals.add(waiting.remove());
      bytes += next.bytes;
      next = waiting.peek();
    }
    return entry;
  }

  private synchronized void ended(Entry entry) {
    if (inFlight.remove(entry)) {
      send();
    }
  }

  /** One entry of the log, with those who wait for its commands. */
  static final class Entry implements com.alipay.sofa.jraft.Closure {
    private final Appender appender;
    private final long term;
    private final List<Proposal> proposals = new ArrayList<>();

    private Entry(Appender appender, long term) {
      this.appender = appender;
      this.term = term;
    }

    private byte[] bytes() {
      Batch.Builder batch = Batch.newBuilder();
      proposals.forEach(proposal -> batch.addCommands(proposal.command));
      return batch.build().toByteArray();
    }

    int size() {
      return proposals.size();
    }

    Command command(int index) {
      return proposals.get(index).command;
    }

    /** All commands were applied. */
    void complete(List<Applied> outcomes) {
      appender.ended(this);
      for (int i = 0; i < outcomes.size(); i++) {
        outcomes.get(i).to(proposals.get(i).outcome);
      }
    }

    /** Called by the engine, in any thread, only for what it could not do. */
    @Override
    public void run(Status status) {
      appender.ended(this);
      fail(
          certainlyNotAppended(status)
              ? new NotLeading(status.getErrorMsg())
              : new UnknownOutcome(String.valueOf(status.getErrorMsg())));
    }

    private void fail(RuntimeException failure) {
      proposals.forEach(proposal -> proposal.outcome.completeExceptionally(failure));
    }

    /** The engine has one code for "does not lead" and "has stepped down while it was appended". */
    private static boolean certainlyNotAppended(Status status) {
      String detail = String.valueOf(status.getErrorMsg());
      RaftError error = status.getRaftError();
      return error == RaftError.EBUSY
          || error == RaftError.ENODESHUTDOWN
          || (error == RaftError.EPERM
              && (detail.equals("Is not leader.") || detail.startsWith("expected_term=")));
    }
  }

  /** What became of a command: a reply, or a failure of the namespace itself. */
  record Applied(@Nullable Reply reply, @Nullable RuntimeException failure) {
    private void to(CompletableFuture<Reply> outcome) {
      if (reply != null) {
        outcome.complete(reply);
      } else if (failure != null) {
        outcome.completeExceptionally(failure);
      }
    }
  }

  /** The command may be in the log or not. */
  static final class UnknownOutcome extends RuntimeException {
    UnknownOutcome(String detail) {
      super(detail);
    }
  }
}
