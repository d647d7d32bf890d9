package io.regionfs.verbs.disni;

import com.ibm.disni.verbs.IbvSendWR;
import io.regionfs.verbs.Batch;
import io.regionfs.verbs.TransferException.Reason;
import org.jspecify.annotations.Nullable;

/**
 * A batch as plain arrays. Its owner fills it; while it is in flight only {@link #state} moves, set
 * by whichever thread handles its completion.
 */
final class DisniBatch implements Batch {
  private static final int SHAPE_BITS = 3;

  /** Room for {@link #readBehind} too. */
  static final int CAPACITY = MAX_OPERATIONS + 1;

  /** Nothing of it is with the device. */
  static final int IDLE = 0;

  /** Posted or about to be; not complete. */
  static final int IN_FLIGHT = 1;

  static final int DONE = 2;

  /** {@link #reason} and {@link #detail} say why. */
  static final int FAILED = 3;

  final int[] opcode = new int[CAPACITY];
  final long[] localAddress = new long[CAPACITY];
  final int[] localKey = new int[CAPACITY];
  final long[] remoteAddress = new long[CAPACITY];
  final int[] remoteKey = new int[CAPACITY];
  final int[] length = new int[CAPACITY];

  /** compare-and-swap: expected; fetch-and-add: the addend. */
  final long[] compareAdd = new long[CAPACITY];

  final long[] swap = new long[CAPACITY];

  /** A write after a read or atomic: it would overtake that. */
  private final boolean[] fenced = new boolean[MAX_OPERATIONS];

  volatile int state = IDLE;
  Reason reason = Reason.DISCONNECTED;
  String detail = "";
  @Nullable Thread waiter;

  /** The waiter's. */
  final Deadline deadline = new Deadline();

  private final boolean hasAtomics;
  private int size;
  private long shape;
  private boolean hasRead;

  /**
   * @param hasAtomics of the device that will carry it out
   */
  DisniBatch(boolean hasAtomics) {
    this.hasAtomics = hasAtomics;
  }

  @Override
  public void clear() {
    requireIdle();
    size = 0;
    shape = 0;
    hasRead = false;
  }

  @Override
  public int size() {
    return size;
  }

  /** What a request is posted with: the last one is signalled. */
  int flags(int i) {
    int flags = i == size - 1 ? IbvSendWR.IBV_SEND_SIGNALED : 0;
    return fenced[i] ? flags | IbvSendWR.IBV_SEND_FENCE : flags;
  }

  /** The sequence of opcodes, packed: chains of one shape differ only in what can be set later. */
  long shape() {
    return shape;
  }

  @Override
  public void read(long localAddress, int localKey, long remoteAddress, int remoteKey, int length) {
    requirePositive(length);
    add(IbvSendWR.IBV_WR_RDMA_READ, localAddress, localKey, remoteAddress, remoteKey, length);
  }

  boolean endsWithWrite() {
    return size > 0 && opcode[size - 1] == IbvSendWR.IBV_WR_RDMA_WRITE;
  }

  /** Adds a read of 8 bytes, beyond the limit, until {@link #dropBehind}. */
  void readBehind(long localAddress, int localKey, long remoteAddress, int remoteKey) {
    put(
        size,
        IbvSendWR.IBV_WR_RDMA_READ,
        localAddress,
        localKey,
        remoteAddress,
        remoteKey,
        Long.BYTES);
  }

  void dropBehind() {
    size--;
    shape >>>= SHAPE_BITS;
  }

  @Override
  public void write(
      long localAddress, int localKey, long remoteAddress, int remoteKey, int length) {
    requirePositive(length);
    add(IbvSendWR.IBV_WR_RDMA_WRITE, localAddress, localKey, remoteAddress, remoteKey, length);
  }

  @Override
  public void compareAndSwap(
      long localAddress,
      int localKey,
      long remoteAddress,
      int remoteKey,
      long expected,
      long value) {
    requireAtomics(remoteAddress);
    compareAdd[freeSlot()] = expected;
    swap[size] = value;
    add(
        IbvSendWR.IBV_WR_ATOMIC_CMP_AND_SWP,
        localAddress,
        localKey,
        remoteAddress,
        remoteKey,
        Long.BYTES);
  }

  @Override
  public void fetchAndAdd(
      long localAddress, int localKey, long remoteAddress, int remoteKey, long delta) {
    requireAtomics(remoteAddress);
    compareAdd[freeSlot()] = delta;
    swap[size] = 0;
    add(
        IbvSendWR.IBV_WR_ATOMIC_FETCH_AND_ADD,
        localAddress,
        localKey,
        remoteAddress,
        remoteKey,
        Long.BYTES);
  }

  private void add(int operation, long local, int lkey, long remote, int rkey, int bytes) {
    put(freeSlot(), operation, local, lkey, remote, rkey, bytes);
  }

  private void put(int i, int operation, long local, int lkey, long remote, int rkey, int bytes) {
    opcode[i] = operation;
    localAddress[i] = local;
    localKey[i] = lkey;
    remoteAddress[i] = remote;
    remoteKey[i] = rkey;
    length[i] = bytes;
    boolean writes = operation == IbvSendWR.IBV_WR_RDMA_WRITE;
    fenced[i] = writes && hasRead;
    hasRead |= !writes;
    shape = (shape << SHAPE_BITS) | operation;
    size = i + 1;
  }

  private int freeSlot() {
    requireIdle();
    if (size == MAX_OPERATIONS) {
      throw new IllegalStateException("a batch holds " + MAX_OPERATIONS + " operations");
    }
    return size;
  }

  private void requireIdle() {
    if (state == IN_FLIGHT) {
      throw new IllegalStateException("the batch is in flight");
    }
  }

  private static void requirePositive(int length) {
    if (length <= 0) {
      throw new IllegalArgumentException("length " + length);
    }
  }

  private void requireAtomics(long address) {
    if (!hasAtomics) {
      throw new UnsupportedOperationException("this device has no atomic operations");
    }
    if ((address & (Long.BYTES - 1)) != 0) {
      throw new IllegalArgumentException("atomics need 8-byte alignment");
    }
  }
}
