package io.regionfs.verbs.disni;

import com.google.errorprone.annotations.MustBeClosed;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import com.ibm.disni.verbs.IbvMr;
import com.ibm.disni.verbs.IbvPd;
import io.regionfs.posix.Memory;
import java.io.IOException;
import java.util.BitSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Registered words for the heartbeats of connections. At the end that accepts, each connection has
 * a pulse that its peer counts up one-sided; at the end that connects, the word that is sent there
 * and the place where it is read back:
 *
 * <pre>
 *  0 pulse (8)   8 read back (8)
 * </pre>
 */
final class PulseTable implements AutoCloseable {
  static final int PULSE = 0;
  static final int READ_BACK = PULSE + Long.BYTES;
  private static final int SLOT_BYTES = READ_BACK + Long.BYTES;

  /** More connections than this have no heartbeat. */
  private static final int SLOTS = 4096;

  private static final Logger LOG = LoggerFactory.getLogger(PulseTable.class);

  private final long memory = Memory.allocate((long) SLOTS * SLOT_BYTES);
  private final IbvMr region;

  @GuardedBy("this")
  private final BitSet taken = new BitSet();

  @GuardedBy("this")
  private boolean closed;

  /** Words that this end sends and reads back. */
  @MustBeClosed
  static PulseTable local(IbvPd domain) throws IOException {
    return new PulseTable(domain, IbvMr.IBV_ACCESS_LOCAL_WRITE);
  }

  /** Pulses that peers count up. */
  @MustBeClosed
  static PulseTable forPeers(IbvPd domain) throws IOException {
    return new PulseTable(
        domain,
        IbvMr.IBV_ACCESS_LOCAL_WRITE
            | IbvMr.IBV_ACCESS_REMOTE_READ
            | IbvMr.IBV_ACCESS_REMOTE_WRITE);
  }

  private PulseTable(IbvPd domain, int access) throws IOException {
    try {
      region = domain.regMr(memory, SLOTS * SLOT_BYTES, access).execute().free().getMr();
    } catch (IOException e) {
      Memory.free(memory);
      throw e;
    }
  }

  /** The address of a free slot, zeroed; 0 if there is none. */
  synchronized long take() {
    int slot = taken.nextClearBit(0);
    if (slot == SLOTS || closed) {
      return 0;
    }
    taken.set(slot);
    long address = memory + (long) slot * SLOT_BYTES;
    Memory.fill(address, SLOT_BYTES, (byte) 0);
    return address;
  }

  /** No transfer touches the slot any more. */
  synchronized void giveBack(long address) {
    if (address != 0) {
      taken.clear((int) ((address - memory) / SLOT_BYTES));
    }
  }

  int localKey() {
    return region.getLkey();
  }

  int remoteKey() {
    return region.getRkey();
  }

  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      region.deregMr().execute().free();
      Memory.free(memory);
    } catch (IOException e) {
      LOG.error("The memory of heartbeats could not be deregistered", e);
    }
  }
}
