package io.regionfs.rpc.darpc;

import com.ibm.disni.RdmaCqProvider;
import com.ibm.disni.verbs.IbvContext;
import com.ibm.disni.verbs.IbvWC;
import com.ibm.disni.verbs.SVCPollCq;
import com.ibm.disni.verbs.SVCReqNotify;
import java.io.IOException;
import java.util.function.Consumer;

/**
 * A completion queue with its channel. Used by one thread at a time, but for {@link #awaitEvent};
 * the owner sees to that.
 */
final class CompletionQueue extends RdmaCqProvider {
  private static final int BATCH = 16;

  /** IBV_WC_SUCCESS of ibv_poll_cq(3). */
  private static final int SUCCESS = 0;

  private final IbvWC[] completions = new IbvWC[BATCH];
  private final SVCPollCq poll;
  private final SVCReqNotify notify;
  private boolean armed;

  CompletionQueue(IbvContext context, int entries) throws IOException {
    super(context, entries);
    for (int i = 0; i < BATCH; i++) {
      completions[i] = new IbvWC();
    }
    poll = cq.poll(completions, BATCH);
    notify = cq.reqNotification(false);
  }

  static boolean succeeded(IbvWC completion) {
    return completion.getStatus() == SUCCESS;
  }

  /** Hands over what has completed, without waiting; says how many. */
  int poll(Consumer<IbvWC> consumer) throws IOException {
    int total = 0;
    int count;
    do {
      count = poll.execute().getPolls();
      for (int i = 0; i < count; i++) {
        consumer.accept(completions[i]);
      }
      total += Math.max(count, 0);
    } while (count == BATCH);
    return total;
  }

  /** As {@link #poll}, but waits up to so long for the first one. */
  int await(int millis, Consumer<IbvWC> consumer) throws IOException {
    arm();
    int count = poll(consumer);
    if (count > 0) {
      return count;
    }
    if (awaitEvent(millis)) {
      acknowledge();
    }
    return poll(consumer);
  }

  /**
   * The next completion raises an event. Then poll before {@link #awaitEvent}: what completes
   * before the queue is armed raises none.
   */
  void arm() throws IOException {
    if (!armed) {
      notify.execute();
      armed = true;
    }
  }

  /** Takes note of an event: the next needs arming. */
  void acknowledge() throws IOException {
    armed = false;
    cq.ackEvents(1);
  }

  /** A device may answer an interrupt with an error; to us it is only an early end of the wait. */
  boolean awaitEvent(int millis) throws IOException {
    try {
      return compChannel.getCqEvent(cq, millis);
    } catch (IOException e) {
      if (e.getCause() instanceof InterruptedException || Thread.currentThread().isInterrupted()) {
        Thread.currentThread().interrupt();
        return false;
      }
      throw e;
    }
  }

  /** The queue goes before its channel: the other way round the device refuses. */
  @Override
  public void close() throws IOException {
    poll.free();
    notify.free();
    try {
      cq.destroyCQ();
    } finally {
      compChannel.destroyCompChannel();
    }
  }
}
