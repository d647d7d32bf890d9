package io.regionfs.verbs.soft;

import com.ibm.disni.verbs.IbvWC.IbvWcOpcode;
import io.regionfs.verbs.soft.ReceiveQueue.Receive;
import io.regionfs.verbs.soft.Responses.Response;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A queue pair's answers to its peer's requests, and the receives that those fill. Called by the
 * reader of the connection; guarded by the queue pair's transmit lock, which each call takes.
 */
final class Replies {
  private static final int RECEIVED = IbvWcOpcode.IBV_WC_RECV.getOpcode();
  private static final int RECEIVED_IMMEDIATE = IbvWcOpcode.IBV_WC_RECV_RDMA_WITH_IMM.getOpcode();

  private final SoftQueuePair pair;
  private final ReentrantLock transmit;
  private final Transmitter transmitter;
  private final ReceiveQueue receives;
  private final SoftCompletionQueue completions;

  Replies(
      SoftQueuePair pair,
      ReentrantLock transmit,
      Transmitter transmitter,
      ReceiveQueue receives,
      SoftCompletionQueue completions) {
    this.pair = pair;
    this.transmit = transmit;
    this.transmitter = transmitter;
    this.receives = receives;
    this.completions = completions;
  }

  void acknowledge() {
    transmit.lock();
    try {
      transmitter.responses.acknowledge(transmitter.nextStamp());
    } finally {
      transmit.unlock();
    }
  }

  /** A message filled the oldest receive. The answer is queued before anybody can see it. */
  void received(int bytes, int immediate, int flags, boolean write) {
    transmit.lock();
    try {
      Receive receive = pair.isAlive() ? receives.remove() : null;
      if (receive == null) {
        return;
      }
      transmitter.responses.acknowledge(transmitter.nextStamp());
      receive.immediate = immediate;
      receive.withImmediate = (flags & Wire.FLAG_IMMEDIATE) != 0;
      receive.solicited = (flags & Wire.FLAG_SOLICITED) != 0;
      completions.completeReceive(
          pair, receive, WcStatus.SUCCESS, write ? RECEIVED_IMMEDIATE : RECEIVED, bytes);
      pair.checkOverrun();
    } finally {
      transmit.unlock();
    }
  }

  void receiveFails(int status, int statusOfPeer) {
    transmit.lock();
    try {
      Receive receive = pair.isAlive() ? receives.remove() : null;
      if (receive != null) {
        completions.completeReceive(pair, receive, status, RECEIVED, 0);
        refuse(statusOfPeer);
      }
    } finally {
      transmit.unlock();
    }
  }

  void answerRead(@Nullable SoftMemoryRegion region, long address, int bytes) {
    Response response = answer(Wire.READ_DATA);
    if (response != null) {
      response.region = region;
      response.address = address;
      response.bytes = bytes;
    }
  }

  void answerAtomic(long old) {
    Response response = answer(Wire.ATOMIC_RESULT);
    if (response != null) {
      response.value = old;
    }
  }

  private @Nullable Response answer(int type) {
    transmit.lock();
    try {
      if (!transmitter.responses.hasRoom()) {
        refuse(WcStatus.REM_INV_REQ_ERR);
        return null;
      }
      return transmitter.responses.add(type, transmitter.nextStamp());
    } finally {
      transmit.unlock();
    }
  }

  /** The peer sent, and there is nothing to receive it. */
  void notReady() {
    transmit.lock();
    try {
      if (transmitter.responses.hasRoom()) {
        transmitter.responses.add(Wire.NOT_READY, transmitter.nextStamp());
      } else {
        pair.violation("more requests than agreed on");
      }
    } finally {
      transmit.unlock();
    }
  }

  /** Refuses a request of the peer, and ends the connection as a NIC does. */
  void refuse(int status) {
    transmit.lock();
    try {
      if (pair.isAlive()) {
        transmitter.responses.add(Wire.REFUSAL, transmitter.nextStamp()).status = status;
        pair.fail(WcStatus.WR_FLUSH_ERR, true);
      }
    } finally {
      transmit.unlock();
    }
  }

  /** All that is posted, once the connection has ended. Under the transmit lock. */
  void flush() {
    for (Receive r = receives.remove(); r != null; r = receives.remove()) {
      completions.completeReceive(pair, r, WcStatus.WR_FLUSH_ERR, RECEIVED, 0);
    }
  }
}
