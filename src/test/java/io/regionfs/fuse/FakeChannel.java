package io.regionfs.fuse;

import io.regionfs.posix.Memory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** The kernel's side of a connection, in memory. */
final class FakeChannel implements FuseChannel {
  private static final int SECONDS = 60;
  private static final byte[] NO_MORE = new byte[0];

  private final BlockingQueue<byte[]> requests = new LinkedBlockingQueue<>();
  private final BlockingQueue<ByteBuffer> replies = new LinkedBlockingQueue<>();

  /** What was said without a request. */
  final Queue<ByteBuffer> notices = new ConcurrentLinkedQueue<>();

  /** What {@link #tell} says: an errno, or 0. */
  volatile int refusal;

  /** What {@link #send} says: whether the kernel still wants replies. */
  volatile boolean wanted = true;

  void request(RequestBuilder request) {
    try (MappedBuffer buffer = new MappedBuffer(FuseLimits.BUFFER_BYTES, () -> {})) {
      byte[] bytes = new byte[request.into(buffer)];
      Memory.get(buffer.address(), bytes, 0, bytes.length);
      requests.add(bytes);
    }
  }

  void end() {
    requests.add(NO_MORE);
  }

  @Override
  public int receive(long address, int capacity) {
    try {
      byte[] request = requests.take();
      if (request == NO_MORE) {
        requests.add(NO_MORE);
        return END;
      }
      Memory.put(address, request, 0, request.length);
      return request.length;
    } catch (InterruptedException e) {
      throw new IllegalStateException("an interrupt was left behind", e);
    }
  }

  @Override
  public boolean send(long vectors, int count) {
    int total = 0;
    for (int i = 0; i < count; i++) {
      total += (int) Memory.getLong(vectors + 16L * i + 8);
    }
    byte[] reply = new byte[total];
    int at = 0;
    for (int i = 0; i < count; i++) {
      int length = (int) Memory.getLong(vectors + 16L * i + 8);
      Memory.get(Memory.getLong(vectors + 16L * i), reply, at, length);
      at += length;
    }
    replies.add(ByteBuffer.wrap(reply).order(ByteOrder.nativeOrder()));
    return wanted;
  }

  @Override
  public int tell(long address, int bytes) {
    byte[] notice = new byte[bytes];
    Memory.get(address, notice, 0, bytes);
    notices.add(ByteBuffer.wrap(notice).order(ByteOrder.nativeOrder()));
    return refusal;
  }

  /** Files that were given away, by their id; a descriptor that is not positive is refused. */
  final Map<Integer, Integer> backings = new ConcurrentHashMap<>();

  private final AtomicInteger lastBacking = new AtomicInteger();

  @Override
  public int openBacking(int fd) {
    if (fd <= 0) {
      return -9;
    }
    int id = lastBacking.incrementAndGet();
    backings.put(id, fd);
    return id;
  }

  @Override
  public void closeBacking(int id) {
    if (backings.remove(id) == null) {
      throw new IllegalStateException("no backing file " + id);
    }
  }

  /** The next reply, or null if there is none now. */
  @Nullable ByteBuffer reply() {
    return replies.poll();
  }

  /** The next reply, which has to come. */
  ByteBuffer awaitReply() throws InterruptedException {
    ByteBuffer reply = replies.poll(SECONDS, TimeUnit.SECONDS);
    if (reply == null) {
      throw new AssertionError("no reply");
    }
    return reply;
  }
}
