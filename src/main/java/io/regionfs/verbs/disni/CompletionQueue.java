package io.regionfs.verbs.disni;

import com.ibm.disni.verbs.IbvCQ;
import com.ibm.disni.verbs.IbvCompChannel;
import com.ibm.disni.verbs.IbvContext;
import com.ibm.disni.verbs.IbvWC;
import com.ibm.disni.verbs.SVCPollCq;
import com.ibm.disni.verbs.SVCReqNotify;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A completion queue with its channel and prepared calls. Used by one thread at a time. */
final class CompletionQueue implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(CompletionQueue.class);
  private static final int POLLED = 16;

  private final IbvCompChannel channel;
  private final IbvCQ queue;
  private final IbvWC[] completions = new IbvWC[POLLED];
  private final SVCPollCq poll;
  private final SVCReqNotify arm;

  CompletionQueue(IbvContext context, int entries) throws IOException {
    channel = context.createCompChannel();
    IbvCQ made = null;
    try {
      made = context.createCQ(channel, entries, 0);
      for (int i = 0; i < POLLED; i++) {
        completions[i] = new IbvWC();
      }
      queue = made;
      poll = queue.poll(completions, POLLED);
      arm = queue.reqNotification(false);
    } catch (IOException e) {
      if (made != null) {
        made.destroyCQ();
      }
      channel.destroyCompChannel();
      throw e;
    }
  }

  IbvCQ queue() {
    return queue;
  }

  /** Takes completions off the queue; {@link #id} and {@link #status} tell of them. */
  int poll() throws IOException {
    int count = poll.execute().getPolls();
    if (count < 0) {
      throw new IOException("polling failed with " + count);
    }
    return count;
  }

  long id(int index) {
    return completions[index].getWr_id();
  }

  int status(int index) {
    return completions[index].getStatus();
  }

  /**
   * Waits for completions, at most so long, and takes them off the queue. To be called when a poll
   * found none. May return early with none.
   */
  int await(int millis) throws IOException {
    arm.execute();
    int count = poll();
    if (count > 0 || !channel.getCqEvent(queue, millis)) {
      return count;
    }
    queue.ackEvents(1);
    return poll();
  }

  @Override
  public void close() {
    poll.free();
    arm.free();
    try {
      queue.destroyCQ();
      channel.destroyCompChannel();
    } catch (IOException e) {
      LOG.warn("A completion queue could not be destroyed", e);
    }
  }
}
