package io.regionfs.verbs.soft;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import com.ibm.disni.verbs.IbvCQ;
import com.ibm.disni.verbs.IbvContext;
import com.ibm.disni.verbs.IbvWC;
import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Completions in the order in which they happened, as many as were asked for and not one more: an
 * overrun breaks the queue and the queue pairs that use it. Entries of the work queues are given
 * back when their completion is polled, not before. Its monitor is innermost but for the channel's.
 */
final class SoftCompletionQueue extends IbvCQ {
  private static final Logger LOG = LoggerFactory.getLogger(SoftCompletionQueue.class);
  private static final int WITH_IMMEDIATE = 2;

  /** One completion. */
  private static final class Entry {
    @Nullable SoftQueuePair pair;
    long workRequest;
    int status;
    int opcode;
    int bytes;
    int immediate;
    boolean withImmediate;
    boolean receive;
    int slots;
  }

  private final @Nullable SoftCompletionChannel softChannel;

  @GuardedBy("this")
  private Entry[] ring;

  @GuardedBy("this")
  private int head;

  private volatile int count;

  @GuardedBy("this")
  private boolean armed;

  @GuardedBy("this")
  private boolean solicitedOnly;

  private volatile boolean overrun;
  private volatile SoftQueuePair[] pairs = new SoftQueuePair[0];

  SoftCompletionQueue(IbvContext context, @Nullable SoftCompletionChannel channel, int entries)
      throws IOException {
    super(context, channel, 0);
    softChannel = channel;
    cqe = entries;
    ring = entries(new Entry[0], Math.min(entries, 64));
    if (channel != null) {
      channel.attach(this);
    }
  }

  private static Entry[] entries(Entry[] old, int size) {
    Entry[] all = Arrays.copyOf(old, size);
    for (int i = old.length; i < size; i++) {
      all[i] = new Entry();
    }
    return all;
  }

  synchronized void attach(SoftQueuePair pair) {
    SoftQueuePair[] more = Arrays.copyOf(pairs, pairs.length + 1);
    more[pairs.length] = pair;
    pairs = more;
  }

  synchronized void detach(SoftQueuePair pair) {
    pairs = Arrays.stream(pairs).filter(p -> p != pair).toArray(SoftQueuePair[]::new);
  }

  SoftQueuePair[] pairs() {
    return pairs;
  }

  boolean isOverrun() {
    return overrun;
  }

  /** A send queue's work request is done; {@code slots} of its queue go back when it is polled. */
  void completeSend(
      SoftQueuePair pair, long workRequest, int status, int opcode, int bytes, int slots) {
    complete(pair, workRequest, status, opcode, bytes, 0, false, false, false, slots);
  }

  /** A receive is done. */
  void completeReceive(
      SoftQueuePair pair, ReceiveQueue.Receive receive, int status, int opcode, int bytes) {
    complete(
        pair,
        receive.workRequest,
        status,
        opcode,
        bytes,
        receive.immediate,
        receive.withImmediate,
        receive.solicited,
        true,
        1);
  }

  @SuppressWarnings("checkstyle:ParameterNumber")
  private void complete(
      SoftQueuePair pair,
      long workRequest,
      int status,
      int opcode,
      int bytes,
      int immediate,
      boolean withImmediate,
      boolean solicited,
      boolean receive,
      int slots) {
    boolean event;
    synchronized (this) {
      if (count == cqe) {
        if (!overrun) {
          LOG.error("completion queue of {} entries overrun: it is of no more use", cqe);
        }
        overrun = true;
        return;
      }
      if (count == ring.length) {
        widen();
      }
      Entry e = ring[(head + count) % ring.length];
      e.pair = pair;
      e.workRequest = workRequest;
      e.status = status;
      e.opcode = opcode;
      e.bytes = bytes;
      e.immediate = immediate;
      e.withImmediate = withImmediate;
      e.receive = receive;
      e.slots = slots;
      count++;
      event = armed && (!solicitedOnly || solicited || status != WcStatus.SUCCESS);
      armed &= !event;
    }
    if (event && softChannel != null) {
      softChannel.signal();
    }
  }

  /** The ring grows to what was asked for, as far as it is used. */
  @GuardedBy("this")
  private void widen() {
    Entry[] straight = new Entry[ring.length];
    for (int i = 0; i < ring.length; i++) {
      straight[i] = ring[(head + i) % ring.length];
    }
    head = 0;
    ring = entries(straight, (int) Math.min(cqe, 2L * straight.length));
  }

  /** The next completion raises one event. */
  synchronized void arm(boolean onlySolicited) {
    solicitedOnly = armed ? solicitedOnly && onlySolicited : onlySolicited;
    armed = true;
  }

  /** Takes completions out; if there are none, looks at the connections first. */
  int pollInto(IbvWC[] out, int wanted) throws IOException {
    if (!isOpen()) {
      throw new IOException("completion queue is destroyed");
    }
    if (overrun) {
      throw new IOException("completion queue was overrun");
    }
    if (count == 0) {
      for (SoftQueuePair pair : pairs) {
        pair.progress();
      }
      if (count == 0) {
        return 0;
      }
    }
    synchronized (this) {
      int n = Math.min(Math.min(wanted, out.length), count);
      for (int i = 0; i < n; i++) {
        take(ring[head], out[i]);
        head = (head + 1) % ring.length;
      }
      count -= n;
      return n;
    }
  }

  private static void take(Entry e, IbvWC out) {
    out.setWr_id(e.workRequest);
    out.setStatus(e.status);
    out.setOpcode(e.opcode);
    out.setByte_len(e.bytes);
    out.setImm_data(e.immediate);
    out.setWc_flags(e.withImmediate ? WITH_IMMEDIATE : 0);
    out.setVendor_err(0);
    SoftQueuePair pair = e.pair;
    if (pair != null) {
      out.setQp_num(pair.number());
      pair.polled(e.receive, e.slots);
      e.pair = null;
    }
  }

  /** Destroys the queue, which no queue pair may use any more. */
  void destroy() throws IOException {
    if (pairs.length > 0) {
      throw new IOException("completion queue is in use by " + pairs.length + " queue pairs");
    }
    close();
    if (softChannel != null) {
      softChannel.detach(this);
    }
  }
}
