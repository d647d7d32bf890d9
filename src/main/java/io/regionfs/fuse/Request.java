package io.regionfs.fuse;

import io.regionfs.data.TransferBuffer;
import io.regionfs.fuse.RequestLayout.Header;
import io.regionfs.model.Caller;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.model.Name;
import io.regionfs.posix.Memory;

/**
 * The request in a thread's buffer, decoded where it lies (some transports put its header and
 * struct elsewhere). Offsets are those of {@link RequestLayout}; reading past the end of the
 * request is EINVAL. Confined to its thread; the buffer is borrowed.
 */
final class Request {
  private static final int PERMISSIONS = 0777;

  private final TransferBuffer buffer;

  /** Where it begins. */
  private long head;

  /** So many bytes are there; the others begin with the buffer. */
  private int headBytes;

  private int length;

  Request(TransferBuffer buffer) {
    this.buffer = buffer;
  }

  /** The buffer now holds a request of so many bytes. */
  void received(int bytes) {
    head = buffer.address();
    headBytes = 0;
    length = bytes;
  }

  /**
   * There is a request now that begins elsewhere; what follows its struct (names or data) is in the
   * buffer, from its beginning.
   *
   * @param bytes of both
   */
  void received(long start, int startBytes, int bytes) {
    head = start;
    headBytes = startBytes;
    length = bytes;
  }

  private long address(int at) {
    return at < headBytes ? head + at : buffer.address() + inBuffer(at);
  }

  /** Where in the buffer are the data that stand at so many bytes. */
  int inBuffer(int at) {
    return at - headBytes;
  }

  TransferBuffer buffer() {
    return buffer;
  }

  int length() {
    return length;
  }

  int opcode() {
    return int32(Header.OPCODE);
  }

  /**
   * The kernel's number for this request, which its reply carries; {@link Serving#NONE} if it is
   * shorter than its header.
   */
  long unique() {
    return length < Header.BYTES ? Serving.NONE : int64(Header.UNIQUE);
  }

  InodeId node() {
    return inode(Header.NODE);
  }

  /** The thread that asks, 0 if it is in a PID namespace that the mount doesn't see. */
  int thread() {
    return int32(Header.PID);
  }

  Caller caller() {
    return new Caller(int32(Header.UID), int32(Header.GID), thread());
  }

  /**
   * Of a request that makes something.
   *
   * @param umaskAt where its umask is
   */
  Caller caller(int umaskAt) {
    return new Caller(int32(Header.UID), int32(Header.GID), thread(), int32(umaskAt) & PERMISSIONS);
  }

  int int32(int at) {
    check(at, Integer.BYTES);
    return Memory.getInt(address(at));
  }

  long int64(int at) {
    check(at, Long.BYTES);
    return Memory.getLong(address(at));
  }

  /** A position or size in a file; EINVAL if negative. */
  long offset(int at) {
    long offset = int64(at);
    if (offset < 0) {
      throw new FsException(Errno.EINVAL, "negative offset " + offset);
    }
    return offset;
  }

  InodeId inode(int at) {
    return new InodeId(int64(at));
  }

  byte[] bytes(int at, int count) {
    check(at, count);
    byte[] bytes = new byte[count];
    Memory.get(address(at), bytes, 0, count);
    return bytes;
  }

  /** The bytes before the next NUL; the next string begins one after that NUL. */
  byte[] string(int at) {
    int end = at;
    while (end < length && Memory.getByte(address(end)) != 0) {
      end++;
    }
    check(at, end - at + 1);
    return bytes(at, end - at);
  }

  Name name(int at) {
    return Name.of(string(at));
  }

  /** EINVAL unless the request has so many bytes there. */
  void check(int at, int count) {
    if (count < 0 || at > length - count) {
      throw new FsException(Errno.EINVAL, "request of only " + length + " bytes");
    }
  }
}
