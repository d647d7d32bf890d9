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

/** A queue, its channel and DiSNI's prepared calls for each step. */
final class SteppedCompletionQueue implements CompletionQueue {
  private static final Logger LOG = LoggerFactory.getLogger(SteppedCompletionQueue.class);

  private final IbvCompChannel channel;
  private final IbvCQ queue;
  private final IbvWC[] completions = new IbvWC[MOST];
  private final SVCPollCq poll;
  private final SVCReqNotify arm;

  SteppedCompletionQueue(IbvContext context, int entries) throws IOException {
    channel = context.createCompChannel();
    IbvCQ made = null;
    try {
      made = context.createCQ(channel, entries, 0);
      for (int i = 0; i < MOST; i++) {
        completions[i] = new IbvWC();
      }
      queue = made;
      poll = queue.poll(completions, MOST);
      arm = queue.reqNotification(false);
    } catch (IOException e) {
      if (made != null) {
        made.destroyCQ();
      }
      channel.destroyCompChannel();
      throw e;
    }
  }

  @Override
  public IbvCQ queue() {
    return queue;
  }

  @Override
  public int poll() throws IOException {
    int count = poll.execute().getPolls();
    if (count < 0) {
      throw new IOException("polling failed with " + count);
    }
    return count;
  }

  @Override
  public long id(int index) {
    return completions[index].getWr_id();
  }

  @Override
  public int status(int index) {
    return completions[index].getStatus();
  }

  @Override
  public int await(int millis) throws IOException {
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
