package io.regionfs.verbs.soft;

import io.regionfs.posix.Memory;
import io.regionfs.verbs.soft.SendQueue.Request;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of a queue pair's own requests as the peer answers them. Called by the reader of the
 * connection; guarded by the queue pair's transmit lock, which each call takes but where it says
 * that it is held.
 */
final class Requester {
  private static final int FOR_EVER = 7;

  private final SoftQueuePair pair;
  private final ReentrantLock transmit;
  private final Transmitter transmitter;
  private final SendQueue requests;
  private final Placement placement;
  private final SoftCompletionQueue completions;
  private int rnrRetries;
  private int rnrAttempts;

  Requester(
      SoftQueuePair pair,
      ReentrantLock transmit,
      Transmitter transmitter,
      SendQueue requests,
      Placement placement,
      SoftCompletionQueue completions) {
    this.pair = pair;
    this.transmit = transmit;
    this.transmitter = transmitter;
    this.requests = requests;
    this.placement = placement;
    this.completions = completions;
  }

  /**
   * How often a request is sent again that found no receive; 7: without end. Under the transmit
   * lock.
   */
  void limitRetries(int most) {
    rnrRetries = most;
  }

  void acknowledged(int count) {
    transmit.lock();
    try {
      for (int i = 0; i < count; i++) {
        Request oldest = requests.underWay();
        if (oldest == null || oldest.isRead() || transmitter.isSending(oldest)) {
          pair.violation("unexpected acknowledgement");
          return;
        }
        complete(oldest, WcStatus.SUCCESS);
      }
      if (count < 1) {
        pair.violation("empty acknowledgement");
        return;
      }
      pair.pump();
    } finally {
      transmit.unlock();
    }
  }

  /** Where the bytes of the oldest READ go; null if there is none of that length. */
  @Nullable Segments readAnswered(int bytes) {
    transmit.lock();
    try {
      Request oldest = requests.underWay();
      if (oldest == null || !oldest.isRead() || oldest.isAtomic() || oldest.bytes != bytes) {
        pair.violation("unexpected read data");
        return null;
      }
      return oldest.segments;
    } finally {
      transmit.unlock();
    }
  }

  void readComplete() {
    transmit.lock();
    try {
      Request oldest = requests.underWay();
      if (pair.isAlive() && oldest != null) {
        complete(oldest, WcStatus.SUCCESS);
        pair.pump();
      }
    } finally {
      transmit.unlock();
    }
  }

  void atomicAnswered(long old) {
    transmit.lock();
    try {
      Request oldest = requests.underWay();
      if (oldest == null || !oldest.isAtomic()) {
        pair.violation("unexpected result of an atomic");
        return;
      }
      Segments into = oldest.segments;
      if (!placement.begin(into, 0, 1)) {
        pair.fail(WcStatus.LOC_PROT_ERR, false);
        return;
      }
      Memory.putLong(into.address[0], old);
      placement.end(into, 0, 1);
      complete(oldest, WcStatus.SUCCESS);
      pair.pump();
    } finally {
      transmit.unlock();
    }
  }

  void refusedByPeer(int status) {
    boolean known =
        status == WcStatus.REM_INV_REQ_ERR
            || status == WcStatus.REM_ACCESS_ERR
            || status == WcStatus.REM_OP_ERR;
    pair.fail(known ? status : WcStatus.BAD_RESP_ERR, false);
  }

  void peerNotReady() {
    transmit.lock();
    try {
      Request oldest = requests.underWay();
      if (oldest == null || !oldest.needsReceive()) {
        pair.violation("unexpected not-ready");
        return;
      }
      if (rnrRetries != FOR_EVER && rnrAttempts >= rnrRetries) {
        pair.fail(WcStatus.RNR_RETRY_EXC_ERR, true);
        return;
      }
      long millis = 1L << Math.min(rnrAttempts, 5);
      rnrAttempts++;
      transmitter.hold();
      var unused = pair.device().timer().schedule(this::resume, millis, TimeUnit.MILLISECONDS);
    } finally {
      transmit.unlock();
    }
  }

  private void resume() {
    transmit.lock();
    try {
      transmitter.resume();
    } finally {
      transmit.unlock();
    }
    pair.flush();
  }

  private void complete(Request oldest, int status) {
    requests.removeOldest(oldest);
    rnrAttempts = 0;
    if (oldest.signalled || status != WcStatus.SUCCESS) {
      int slots = requests.silent;
      requests.silent = 0;
      completions.completeSend(
          pair, oldest.workRequest, status, Posting.completionOpcode(oldest), oldest.bytes, slots);
      pair.checkOverrun();
    }
  }

  /** Fails the oldest request if it cannot be sent. Under the transmit lock. */
  void failBadRequest() {
    Request oldest = requests.oldest();
    if (pair.isConnected()
        && oldest != null
        && requests.nothingUnderWay()
        && oldest.localError != WcStatus.SUCCESS) {
      pair.fail(oldest.localError, true);
    }
  }

  /** All requests, once the connection has ended. Under the transmit lock. */
  void flush(int statusOfOldest) {
    int status = statusOfOldest;
    for (Request r = requests.oldest(); r != null; r = requests.oldest()) {
      complete(r, status);
      status = WcStatus.WR_FLUSH_ERR;
    }
  }
}
