package io.regionfs.fuse;

import io.regionfs.data.ReadSink;
import io.regionfs.data.TransferBuffer;
import io.regionfs.fuse.ReplyLayout.Header;
import io.regionfs.model.Errno;
import io.regionfs.posix.Memory;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Builds and sends the one reply of a thread's current request. Offsets are those of {@link
 * ReplyLayout}. As a {@link ReadSink} it sends the bytes of a read from where they are, without a
 * copy. Confined to its thread, which closes it.
 */
final class Reply implements ReadSink, AutoCloseable {
  /** Bytes of a reply that is built here: an attribute value or names of 64 KiB, and a header. */
  static final int CAPACITY = Header.BYTES + 64 * 1024;

  private static final int VECTOR_BYTES = 16;

  private final ReplyChannel channel;
  private final IntFunction<TransferBuffer> buffers;
  private final long message;
  private final long vectors;
  private @Nullable TransferBuffer staging;
  private long unique;
  private final boolean ownsStaging;
  private boolean answered;
  private boolean handedOver;

  /**
   * @param buffers makes the staging buffer when the first read needs it, given its size in bytes
   */
  Reply(ReplyChannel channel, IntFunction<TransferBuffer> buffers) {
    this.channel = channel;
    this.buffers = buffers;
    this.message = Memory.allocate(CAPACITY + 2 * VECTOR_BYTES);
    this.vectors = message + CAPACITY;
    this.ownsStaging = true;
  }

  /**
   * @param staging borrowed
   */
  Reply(ReplyChannel channel, TransferBuffer staging) {
    this.channel = channel;
    this.buffers = bytes -> staging;
    this.message = Memory.allocate(CAPACITY + 2 * VECTOR_BYTES);
    this.vectors = message + CAPACITY;
    this.staging = staging;
    this.ownsStaging = false;
  }

  /** The next reply is to this request. */
  void begin(long requestUnique) {
    unique = requestUnique;
    answered = false;
    handedOver = false;
  }

  /** Whether the request has its reply, or somebody else is going to send it. */
  boolean settled() {
    return answered || handedOver;
  }

  /**
   * Somebody else sends the reply, maybe at once.
   *
   * @return to be closed by that thread
   */
  Reply handOver() {
    Reply other = new Reply(channel, buffers);
    other.begin(unique);
    handedOver = true;
    return other;
  }

  long unique() {
    return unique;
  }

  /** Where a read may assemble its bytes; the same for all reads of this thread. */
  TransferBuffer staging() {
    TransferBuffer buffer = staging;
    if (buffer == null) {
      buffer = buffers.apply(FuseLimits.BUFFER_BYTES);
      staging = buffer;
    }
    return buffer;
  }

  void int16(int at, int value) {
    Memory.putShort(message + at, (short) value);
  }

  void int32(int at, int value) {
    Memory.putInt(message + at, value);
  }

  void int64(int at, long value) {
    Memory.putLong(message + at, value);
  }

  void bytes(int at, byte[] value) {
    Memory.put(message + at, value, 0, value.length);
  }

  /** Zeros from the end of the header up to {@code end}. */
  void clear(int end) {
    Memory.fill(message + Header.BYTES, end - Header.BYTES, (byte) 0);
  }

  /** Success without more to say. */
  boolean send() {
    return send(Header.BYTES);
  }

  /**
   * Success with what was built up to {@code end}.
   *
   * @return false if the kernel no longer wants it
   */
  boolean send(int end) {
    return send(end, 0);
  }

  boolean error(Errno errno) {
    return send(Header.BYTES, -errno.code());
  }

  private boolean send(int end, int error) {
    header(end, error);
    Memory.putLong(vectors, message);
    Memory.putLong(vectors + 8, end);
    return channel.send(vectors, 1);
  }

  private void header(int length, int error) {
    if (answered) {
      throw new IllegalStateException("a second reply to request " + unique);
    }
    answered = true;
    Memory.putInt(message + Header.LENGTH, length);
    Memory.putInt(message + Header.ERROR, error);
    Memory.putLong(message + Header.UNIQUE, unique);
  }

  @Override
  public void accept(long address, int length) {
    header(Header.BYTES + length, 0);
    Memory.putLong(vectors, message);
    Memory.putLong(vectors + 8, Header.BYTES);
    Memory.putLong(vectors + VECTOR_BYTES, address);
    Memory.putLong(vectors + VECTOR_BYTES + 8, length);
    // A reader that is gone wants no bytes: whether it took them changes nothing.
    boolean unused = channel.send(vectors, length == 0 ? 1 : 2);
  }

  @Override
  public void close() {
    TransferBuffer buffer = staging;
    if (buffer != null && ownsStaging) {
      buffer.close();
    }
    Memory.free(message);
  }
}
