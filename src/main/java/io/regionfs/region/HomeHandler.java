package io.regionfs.region;

import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.proto.HomeCall;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.rpc.RpcHandler;
import io.regionfs.rpc.RpcResponder;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers the {@link HomeCall}s of other hosts. Quick ones in the transport's thread, the others in
 * a few threads of its own; when too many wait, EAGAIN. The memory is borrowed.
 */
public final class HomeHandler implements RpcHandler, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(HomeHandler.class);
  private static final int THREADS = 4;
  private static final int MOST_WAITING = 4096;
  private static final int ANSWERS_KEPT = 8192;

  private final HomeCalls calls;
  private final AnsweredCalls answered = new AnsweredCalls(ANSWERS_KEPT);
  private final Map<HomeCall.CallCase, LongAdder> counts = new EnumMap<>(HomeCall.CallCase.class);
  private final ThreadPoolExecutor executor;

  public HomeHandler(LentMemory memory) {
    calls = new HomeCalls(memory);
    for (HomeCall.CallCase kind : HomeCall.CallCase.values()) {
      counts.put(kind, new LongAdder());
    }
    AtomicInteger number = new AtomicInteger();
    executor =
        new ThreadPoolExecutor(
            THREADS,
            THREADS,
            10,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(MOST_WAITING),
            task -> new Thread(task, "home-call-" + number.incrementAndGet()));
    executor.allowCoreThreadTimeOut(true);
  }

  /** Calls answered since the start by kind, in lower case; reads and writes are none of them. */
  public Map<String, Long> callCounts() {
    Map<String, Long> result = new TreeMap<>();
    counts.forEach(
        (kind, count) -> {
          if (count.sum() > 0) {
            result.put(kind.name().toLowerCase(Locale.ROOT), count.sum());
          }
        });
    return result;
  }

  @Override
  public void handle(Request request, RpcResponder responder) {
    HomeCall call = request.getHome();
    LongAdder count = counts.get(call.getCallCase());
    if (count != null) {
      count.increment();
    }
    if (calls.isQuick(call)) {
      responder.reply(answer(call));
      return;
    }
    try {
      executor.execute(() -> answerSlowly(request, responder));
    } catch (RejectedExecutionException e) {
      responder.reply(
          HomeReplies.failure(new FsException(Errno.EAGAIN, "the home is overloaded", e)));
    }
  }

  private void answerSlowly(Request request, RpcResponder responder) {
    HomeCall call = request.getHome();
    switch (call.getCallCase()) {
      case APPEND, RESERVE_APPEND, COMMIT_APPEND, STORE ->
          responder.reply(answered.once(request, () -> answer(call)));
      default -> responder.reply(answer(call));
    }
  }

  private Reply answer(HomeCall call) {
    try {
      return calls.answer(call);
    } catch (FsException e) {
      LOG.debug("{} of region {} refused: {}", call.getCallCase(), call.getInode(), e.getMessage());
      return HomeReplies.failure(e);
    } catch (RuntimeException e) {
      LOG.error("{} of region {} failed", call.getCallCase(), call.getInode(), e);
      return HomeReplies.failure(
          new FsException(Errno.EIO, "the home failed; its log says why", e));
    }
  }

  /** Answers what has been accepted, then ends. */
  @Override
  public void close() {
    executor.shutdown();
    boolean interrupted = false;
    try {
      if (!executor.awaitTermination(30, TimeUnit.SECONDS)) {
        LOG.warn("calls are still being answered");
      }
    } catch (InterruptedException e) {
      interrupted = true;
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
