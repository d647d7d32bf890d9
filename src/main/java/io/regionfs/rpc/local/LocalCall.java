package io.regionfs.rpc.local;

import io.regionfs.proto.Reply;
import io.regionfs.rpc.RpcException;
import io.regionfs.rpc.RpcResponder;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;

/** One call in flight: ends once, by the first of reply, failure and deadline. */
final class LocalCall implements RpcResponder {
  private static final long SLICE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  private final CompletableFuture<Reply> result = new CompletableFuture<>();

  @Override
  public void reply(Reply reply) {
    result.complete(reply);
  }

  void fail(RpcException.Outcome outcome, String detail) {
    result.completeExceptionally(new RpcException(outcome, detail));
  }

  Reply await(long deadlineNanos, BooleanSupplier abandoned)
      throws RpcException, InterruptedException {
    try {
      while (true) {
        long left = deadlineNanos - System.nanoTime();
        try {
          return result.get(Math.max(Math.min(left, SLICE_NANOS), 0), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
          if (left <= SLICE_NANOS) {
            throw new RpcException(RpcException.Outcome.UNKNOWN, "no reply within the deadline", e);
          }
          if (abandoned.getAsBoolean()) {
            throw new RpcException(RpcException.Outcome.UNKNOWN, "the call was given up", e);
          }
        }
      }
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RpcException failure) {
        throw new RpcException(failure.outcome(), String.valueOf(failure.getMessage()), failure);
      }
      throw new IllegalStateException("a call ends only by reply or RpcException", e);
    }
  }
}
