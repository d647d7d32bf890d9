package io.regionfs.fuse;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.data.TransferBuffer;
import io.regionfs.fs.FileSystem;
import io.regionfs.fuse.RequestLayout.Header;
import io.regionfs.posix.Memory;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One entry of a queue of FUSE over io_uring, in a ring of its own. Sending a reply and waiting for
 * the next request is one system call. The kernel writes a request in three parts: its header, the
 * struct of its opcode, and names or data, which go straight into the thread's registered buffer;
 * it takes a reply's data from that buffer, too, so what a read brings from another host is already
 * where the kernel wants it.
 *
 * <p>The header that is shared with the kernel, struct fuse_uring_req_header:
 *
 * <pre>
 * 0                 128               256    264     272           288
 * | header in or out | struct of opcode | flags| commit| payload bytes|
 * </pre>
 *
 * Source: linux/fuse.h, protocol 7.42. Confined to its thread, but for {@link #release}.
 */
final class RingLane implements Lane, ReplyChannel {
  private static final Logger LOG = LoggerFactory.getLogger(RingLane.class);
  private static final int STRUCT = 128;
  private static final int COMMIT_ID = 264;
  private static final int PAYLOAD_BYTES = 272;
  private static final int HEADER_BYTES = 288;
  private static final int IOVECS_BYTES = 32;
  private static final int REGISTER = 1;
  private static final int COMMIT_AND_FETCH = 2;
  private static final long ENTRY = 1;
  private static final long STOP = 2;
  private static final int ENTRIES = 4;
  private static final int EIO = 5;
  private static final int ENOTCONN = 107;
  private static final int ECONNABORTED = 103;

  private final int fuse;
  private final int queue;
  private final Ring ring;
  private final TransferBuffer buffer;
  private final long header;
  private final Request request;
  private final Reply reply;
  private boolean owesReply;

  /** Whether the request has its reply, which another thread may have built. */
  @GuardedBy("this")
  private boolean settled;

  private boolean released;

  /** Of the reply that the kernel gets with the next call. */
  @GuardedBy("this")
  private int error;

  @GuardedBy("this")
  private int payload;

  /**
   * @param stop an eventfd; when it can be read, there will be no more requests
   * @throws IOException if the kernel has no ring for us
   */
  @SuppressWarnings("MustBeClosedChecker") // release() closes it
  RingLane(int fuse, int queue, int stop, FileSystem fileSystem) throws IOException {
    this.fuse = fuse;
    this.queue = queue;
    this.ring = Ring.open(ENTRIES);
    this.buffer = fileSystem.newBuffer(FuseLimits.BUFFER_BYTES);
    this.header = Memory.allocate(HEADER_BYTES + IOVECS_BYTES);
    Memory.fill(header, HEADER_BYTES, (byte) 0);
    this.request = new Request(buffer);
    this.reply = new Reply(this, buffer);
    ring.preparePoll(stop, STOP);
  }

  /**
   * Offers the entry to the kernel.
   *
   * @return 0, or the errno of its refusal, as far as that shows at once
   */
  int register() {
    long iovecs = header + HEADER_BYTES;
    Memory.putLong(iovecs, header);
    Memory.putLong(iovecs + 8, HEADER_BYTES);
    Memory.putLong(iovecs + 16, buffer.address());
    Memory.putLong(iovecs + 24, FuseLimits.BUFFER_BYTES);
    ring.prepareCommand(fuse, REGISTER, iovecs, queue, 0, ENTRY);
    int errno = ring.enter(0);
    long completion = ring.completion();
    if (errno == 0 && completion != 0 && Ring.result(completion) < 0) {
      return -Ring.result(completion);
    }
    return errno;
  }

  @Override
  public boolean receive() {
    commit();
    while (true) {
      long completion = ring.completion();
      if (completion == 0) {
        int errno = ring.enter(1);
        if (errno != 0) {
          LOG.error("Cannot wait for requests over io_uring (errno {}): the mount ends", errno);
          return false;
        }
        continue;
      }
      long about = Ring.userData(completion);
      int result = Ring.result(completion);
      ring.seen();
      if (about == STOP) {
        flush();
        return false;
      }
      if (result == 0) {
        split();
        return true;
      }
      if (result != -ENOTCONN && result != -ECONNABORTED) {
        LOG.error("The kernel gives no more requests to queue {} (errno {})", queue, -result);
      }
      return false;
    }
  }

  /** The struct moves to behind the header, as {@link RequestLayout} has it. */
  private synchronized void split() {
    int bytes = Memory.getInt(header + Header.LENGTH);
    int structEnd = Math.min(STRUCT, bytes - Memory.getInt(header + PAYLOAD_BYTES));
    Memory.copy(header + STRUCT, header + Header.BYTES, structEnd - Header.BYTES);
    request.received(header, structEnd, bytes);
    owesReply = true;
    settled = false;
    error = -EIO;
    payload = 0;
  }

  @Override
  public synchronized boolean send(long vectors, int count) {
    long message = Memory.getLong(vectors);
    int built = (int) Memory.getLong(vectors + 8) - ReplyLayout.Header.BYTES;
    error = Memory.getInt(message + ReplyLayout.Header.ERROR);
    Memory.copy(message + ReplyLayout.Header.BYTES, buffer.address(), built);
    payload = built;
    if (count > 1) {
      long data = Memory.getLong(vectors + 16);
      int bytes = (int) Memory.getLong(vectors + 24);
      long to = buffer.address() + built;
      if (data != to) {
        Memory.copy(data, to, bytes);
      }
      payload += bytes;
    }
    settled = true;
    notifyAll();
    return true;
  }

  /**
   * Who waits for a lock is answered by another thread. Unlike a lane of /dev/fuse this one is of
   * no use until then: the kernel wants an answer where it put the request.
   */
  @Override
  public synchronized void settle() {
    boolean interrupted = false;
    while (!settled && reply.settled()) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true; // meant for the one who waits for the lock, who was told
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Prepares the reply to the last request, with which the kernel may use the entry again. */
  private synchronized void commit() {
    if (owesReply) {
      owesReply = false;
      long unique = request.unique();
      Memory.putInt(header + ReplyLayout.Header.LENGTH, ReplyLayout.Header.BYTES + payload);
      Memory.putInt(header + ReplyLayout.Header.ERROR, error);
      Memory.putLong(header + ReplyLayout.Header.UNIQUE, unique);
      Memory.putInt(header + PAYLOAD_BYTES, payload);
      long id = Memory.getLong(header + COMMIT_ID);
      ring.prepareCommand(fuse, COMMIT_AND_FETCH, 0, queue, id, ENTRY);
    }
  }

  @Override
  public Request request() {
    return request;
  }

  @Override
  public Reply reply() {
    return reply;
  }

  /** Sends the last reply. The kernel may still use the memory of this lane: see release. */
  @Override
  public void close() {
    commit();
    flush();
  }

  private void flush() {
    int errno = ring.enter(0);
    if (errno != 0) {
      LOG.debug("A last reply could not be sent: errno {}", errno);
    }
  }

  /** Frees everything. Its thread is gone: only in it does the kernel touch the memory. */
  void release() {
    if (!released) {
      released = true;
      ring.close();
      reply.close();
      buffer.close();
      Memory.free(header);
    }
  }
}
