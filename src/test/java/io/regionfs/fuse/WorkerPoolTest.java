package io.regionfs.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.model.Attributes;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Requests from a fake kernel, some of which block: GETATTR of inode 1 answers, others wait. */
class WorkerPoolTest {
  private static final int EINTR = -4;
  private static final int ENOTCONN = -107;

  private final CountDownLatch gate = new CountDownLatch(1);
  private final MemoryFileSystem fileSystem =
      new MemoryFileSystem() {
        @Override
        @SuppressWarnings("UnsynchronizedOverridesSynchronized") // the lock would block everybody
        public Attributes attributes(InodeId id) {
          if (!id.equals(InodeId.ROOT)) {
            try {
              gate.await();
            } catch (InterruptedException e) {
              throw new FsException(Errno.EINTR, "interrupted", e);
            }
          }
          return super.attributes(InodeId.ROOT);
        }
      };
  private final ScheduledExecutorService clock = Executors.newScheduledThreadPool(1);
  private final FakeChannel channel = new FakeChannel();

  private DeviceReception pool(int maxThreads) {
    DeviceReception pool = new DeviceReception(channel, fileSystem, clock, maxThreads);
    pool.start();
    return pool;
  }

  @AfterEach
  void nothingIsLeft() {
    clock.shutdownNow();
    assertThat(fileSystem.buffersOut).hasValue(0);
  }

  private void end(DeviceReception pool) throws Exception {
    channel.end();
    pool.ended().get(60, TimeUnit.SECONDS);
    assertThat(pool.join(Duration.ofSeconds(60))).isTrue();
    assertThat(pool.threads()).isZero();
  }

  private void ask(long unique, long inode) {
    channel.request(new RequestBuilder(Opcode.GETATTR, unique, inode).int32(0, 0).int64(0));
  }

  private void interrupt(long unique) {
    channel.request(new RequestBuilder(Opcode.INTERRUPT, unique | 1, 0).int64(unique));
  }

  private Map<Long, Integer> replies(int count) throws InterruptedException {
    Map<Long, Integer> errors = new HashMap<>();
    for (int i = 0; i < count; i++) {
      ByteBuffer reply = channel.awaitReply();
      errors.put(reply.getLong(8), reply.getInt(4));
    }
    return errors;
  }

  @Test
  void blockedRequestsDoNotBlockOthers() throws Exception {
    DeviceReception pool = pool(16);
    for (int i = 1; i <= 8; i++) {
      ask(2L * i, 5);
    }
    ask(100, 1);
    assertThat(replies(1)).containsEntry(100L, 0);
    gate.countDown();
    assertThat(replies(8)).hasSize(8).containsValue(0);
    end(pool);
  }

  @Test
  void evenMoreThanTheLimitDoNot() throws Exception {
    DeviceReception pool = pool(1);
    for (int i = 1; i <= 5; i++) {
      ask(2L * i, 5);
    }
    ask(100, 1);
    assertThat(replies(1)).containsEntry(100L, 0);
    gate.countDown();
    assertThat(replies(5)).hasSize(5);
    end(pool);
  }

  @Test
  void anInterruptReachesItsRequestOnly() throws Exception {
    DeviceReception pool = pool(16);
    ask(2, 5);
    ask(4, 5);
    ask(6, 5);
    ask(100, 1);
    assertThat(replies(1)).containsKey(100L);
    interrupt(4);
    Map<Long, Integer> errors = replies(1);
    while (errors.containsKey(5L)) { // EAGAIN: it was not being served yet
      interrupt(4);
      errors = replies(1);
    }
    assertThat(errors).containsEntry(4L, EINTR);
    gate.countDown();
    assertThat(replies(2)).containsEntry(2L, 0).containsEntry(6L, 0);
    end(pool);
  }

  @Test
  void aFinishedRequestIsInterruptedNoMore() throws Exception {
    DeviceReception pool = pool(1);
    ask(2, 1);
    assertThat(replies(1)).containsEntry(2L, 0);
    interrupt(2);
    assertThat(replies(1)).containsEntry(3L, -11);
    for (int i = 0; i < 100; i++) {
      ask(10 + 2L * i, 1);
    }
    assertThat(replies(100).values()).containsOnly(0);
    end(pool);
  }

  @Test
  void closingRefusesWhatComes() throws Exception {
    DeviceReception pool = pool(4);
    pool.leave();
    int threads = pool.threads();
    for (int i = 0; i < threads; i++) {
      ask(2 + 2L * i, 1);
    }
    assertThat(replies(threads).values()).containsOnly(ENOTCONN);
    pool.ended().get(60, TimeUnit.SECONDS);
    assertThat(pool.join(Duration.ofSeconds(60))).isTrue();
  }
}
