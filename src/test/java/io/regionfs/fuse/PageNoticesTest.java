package io.regionfs.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.fuse.RequestLayout.Write;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * With a kernel that does not wait for pages that are on their way: dropping pages returns once all
 * are saved that threads had received, whether they have told of them or not.
 */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class PageNoticesTest {
  private static final long INODE = 7;
  private static final long REQUEST = 8;
  private static final long HALF_SECOND = 500;

  private final FakeChannel channel = new FakeChannel();
  private final ScheduledExecutorService clock = Executors.newScheduledThreadPool(1);
  private final Interrupts interrupts = new Interrupts(clock);
  private final PageNotices pages = new PageNotices(channel, () -> {}, interrupts::received);
  private final MappedBuffer buffer = new MappedBuffer(1 << 16, () -> {});
  private final Request request = new Request(buffer);
  private final Serving thread = new Serving(new Thread("serving"));

  @BeforeEach
  void aThreadWaitsForRequests(@TempDir Path notMounted) {
    pages.awaitWritesAt(notMounted); // a nudge comes back at once, seen by nobody
    interrupts.add(thread);
  }

  @AfterEach
  void close() {
    pages.close();
    buffer.close();
    clock.shutdownNow();
  }

  private void receive(int opcode, long inode, int writeFlags) {
    RequestBuilder write = new RequestBuilder(opcode, REQUEST, inode).int64(1, 0);
    request.received(
        write.int32(4, writeFlags).int64(0).int32(0, 0).data(new byte[4]).into(buffer));
    pages.writes().begin(request);
    thread.begin(REQUEST);
  }

  private CompletableFuture<Void> drop() {
    return CompletableFuture.runAsync(() -> pages.drop(INODE, 0, 4096));
  }

  private static void staysOpen(CompletableFuture<Void> dropping) throws InterruptedException {
    TimeUnit.MILLISECONDS.sleep(HALF_SECOND);
    assertThat(dropping).isNotDone();
  }

  @Test
  void aPageThatWasReceivedAndNotToldOfIsWaitedFor() throws Exception {
    CompletableFuture<Void> dropping = drop();
    staysOpen(dropping);
    assertThat(channel.notices).hasSize(1);
    receive(Opcode.WRITE, INODE, Write.FROM_CACHE);
    staysOpen(dropping);
    pages.writes().end(REQUEST);
    dropping.get();
  }

  @Test
  void aPageThatIsBeingSavedIsWaitedFor() throws Exception {
    receive(Opcode.WRITE, INODE, Write.FROM_CACHE);
    CompletableFuture<Void> dropping = drop();
    staysOpen(dropping);
    pages.writes().end(REQUEST);
    dropping.get();
  }

  @Test
  void otherRequestsAreNotWaitedFor() throws Exception {
    receive(Opcode.WRITE, INODE, 0);
    drop().get();
    thread.end();
    receive(Opcode.WRITE, INODE + 1, Write.FROM_CACHE);
    drop().get();
    thread.end();
    receive(Opcode.GETATTR, INODE, Write.FROM_CACHE);
    drop().get();
  }

  @Test
  void aThreadThatHasLeftIsNotWaitedFor() throws Exception {
    CompletableFuture<Void> dropping = drop();
    staysOpen(dropping);
    interrupts.remove(thread);
    dropping.get();
  }

  @Test
  void onceTheMountIsBeingClosedNobodyIsWaitedFor() throws Exception {
    CompletableFuture<Void> dropping = drop();
    staysOpen(dropping);
    pages.stop();
    dropping.get();
  }
}
