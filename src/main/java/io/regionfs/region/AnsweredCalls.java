package io.regionfs.region;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Answers to calls that must not be carried out twice, so that a retry gets the first one's. Only
 * successes stay: a call that failed has changed nothing and may be tried again. The oldest are
 * forgotten; a client retries within seconds.
 */
final class AnsweredCalls {
  private record Id(long client, long sequence) {}

  private final int limit;

  @GuardedBy("this")
  private final Map<Id, CompletableFuture<Reply>> answers = new LinkedHashMap<>();

  AnsweredCalls(int limit) {
    this.limit = limit;
  }

  /**
   * The answer of the call: the first one's, if there was one or is one in another thread, and else
   * what the work gives, which runs in this thread, waits for no other call, and does not throw.
   */
  Reply once(Request request, Supplier<Reply> work) {
    Id id = new Id(request.getClientId(), request.getSequence());
    CompletableFuture<Reply> mine = new CompletableFuture<>();
    @Nullable CompletableFuture<Reply> earlier;
    synchronized (this) {
      earlier = answers.putIfAbsent(id, mine);
      if (answers.size() > limit) {
        answers.remove(answers.keySet().iterator().next());
      }
    }
    if (earlier != null) {
      return earlier.join();
    }
    Reply reply = work.get();
    if (reply.getErrno() != 0) {
      synchronized (this) {
        answers.remove(id, mine);
      }
    }
    mine.complete(reply);
    return reply;
  }
}
