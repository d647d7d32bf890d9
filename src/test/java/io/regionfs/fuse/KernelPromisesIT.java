package io.regionfs.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.regionfs.posix.LibC;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What {@link KernelCaches} relies on: an answer that was on its way when its inode was forgotten
 * is not kept by the kernel, and a notice waits for no lock that a request holds.
 */
@SuppressWarnings({
  "NullAway.Init", // JUnit sets up what the fields hold
  "MustBeClosedChecker"
})
class KernelPromisesIT {
  private static final int THREADS = 4;
  private static final int SECONDS = 60;

  @TempDir Path directory;
  private final LeasedHost host = new LeasedHost.Shared().newHost();
  private final ScheduledExecutorService clock = Executors.newScheduledThreadPool(1);
  private final List<Thread> threads = new ArrayList<>();
  private FuseSession session;
  private Gate gate;
  private KernelCaches caches;
  private Dispatcher dispatcher;
  private final AtomicLong now = new AtomicLong();

  /** Holds up one reply. */
  private static final class Gate implements FuseChannel {
    private final FuseChannel kernel;
    private final ThreadLocal<@Nullable Boolean> holding = new ThreadLocal<>();
    private volatile @Nullable IntPredicate wanted;
    final CountDownLatch arrived = new CountDownLatch(1);
    final CountDownLatch open = new CountDownLatch(1);

    Gate(FuseChannel kernel) {
      this.kernel = kernel;
    }

    /** The next reply to a request of this opcode waits until the gate is open. */
    void hold(IntPredicate opcode) {
      wanted = opcode;
    }

    /** The calling thread is going to answer such a request. */
    void passing(int opcode) {
      IntPredicate held = wanted;
      if (held != null && held.test(opcode)) {
        wanted = null;
        holding.set(Boolean.TRUE);
      }
    }

    @Override
    public int receive(long address, int capacity) {
      return kernel.receive(address, capacity);
    }

    @Override
    public boolean send(long vectors, int count) {
      if (holding.get() != null) {
        holding.remove();
        arrived.countDown();
        try {
          assertThat(open.await(SECONDS, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        }
      }
      return kernel.send(vectors, count);
    }

    @Override
    public int tell(long address, int bytes) {
      return kernel.tell(address, bytes);
    }

    @Override
    public int openBacking(int fd) {
      return kernel.openBacking(fd);
    }

    @Override
    public void closeBacking(int id) {
      kernel.closeBacking(id);
    }
  }

  @BeforeEach
  void mount() throws IOException {
    assumeTrue(Files.exists(Path.of("/dev/fuse")), "skipped: there is no /dev/fuse");
    assumeTrue(LibC.INSTANCE.getuid() == 0, "skipped: mounting needs root");
    session = FuseSession.mount(directory, FuseOptions.defaults());
    session.handshake(new InitReply(host.fileSystem(), FuseOptions.defaults(), false));
    gate = new Gate(session.channel());
    caches = new KernelCaches(host.fileSystem(), gate, now::get); // nothing is late
    caches.begin();
    dispatcher =
        new Dispatcher(
            host.fileSystem(),
            caches,
            new PassThrough(gate, host.fileSystem()),
            new Interrupts(clock));
    for (int i = 0; i < THREADS; i++) {
      Thread thread = new Thread(this::serve, "serving-" + i);
      thread.setDaemon(true);
      thread.start();
      threads.add(thread);
    }
  }

  private void serve() {
    try (MappedBuffer buffer = new MappedBuffer(FuseLimits.BUFFER_BYTES, () -> {});
        Reply reply = new Reply(gate, bytes -> new MappedBuffer(bytes, () -> {}))) {
      Request request = new Request(buffer);
      while (true) {
        int length = gate.receive(buffer.address(), FuseLimits.BUFFER_BYTES);
        if (length == FuseChannel.END) {
          return;
        }
        request.received(length);
        gate.passing(request.opcode());
        dispatcher.serve(request, reply);
      }
    }
  }

  @AfterEach
  void close() throws Exception {
    if (session == null) {
      return;
    }
    gate.open.countDown();
    Unmounting.detach(directory);
    for (Thread thread : threads) {
      thread.join(TimeUnit.SECONDS.toMillis(SECONDS));
      assertThat(thread.isAlive()).isFalse();
    }
    caches.close();
    dispatcher.close();
    session.close();
    clock.shutdownNow();
  }

  /** Holds up the reply to one request of a command while everything is forgotten. */
  private void forgetDuring(IntPredicate opcode, String command) throws Exception {
    gate.hold(opcode);
    CompletableFuture<Shell.Result> running =
        CompletableFuture.supplyAsync(() -> new Shell(directory).run(command));
    assertThat(gate.arrived.await(SECONDS, TimeUnit.SECONDS)).as("request").isTrue();
    CompletableFuture.runAsync(() -> host.listener().forgetAll()).get(SECONDS, TimeUnit.SECONDS);
    assertThat(running).isNotDone();
    gate.open.countDown();
    running.get(SECONDS, TimeUnit.SECONDS);
  }

  private int askedBy(String command) {
    int before = host.asked();
    new Shell(directory).run(command);
    return host.asked() - before;
  }

  @Test
  void aNameFoundMeanwhile() throws Exception {
    new Shell(directory).sh("mkdir d; stat d");
    forgetDuring(opcode -> opcode == Opcode.LOOKUP, "stat d/../d");
    assertThat(askedBy("stat d")).isPositive();
  }

  @Test
  void aNameNotFoundMeanwhile() throws Exception {
    forgetDuring(opcode -> opcode == Opcode.LOOKUP, "stat nothing");
    now.addAndGet(TimeUnit.SECONDS.toNanos(2)); // the directory is not busy any more
    assertThat(askedBy("stat nothing")).isPositive();
    LeasedHost.assumeThatTheKernelKeepsNames();
    assertThat(askedBy("stat nothing")).as("kept otherwise").isZero();
  }

  @Test
  void attributesMeanwhile() throws Exception {
    new Shell(directory).sh("mkdir d");
    forgetDuring(
        opcode -> opcode == Opcode.GETATTR || opcode == Opcode.STATX,
        "exec 3< d; stat -L /proc/self/fd/3");
    assertThat(askedBy("stat d")).isPositive();
  }

  /** The thread that creates holds the lock of the directory. */
  @Test
  void aFileCreatedMeanwhile() throws Exception {
    new Shell(directory).sh("stat .; ! stat f");
    forgetDuring(opcode -> opcode == Opcode.CREATE, "touch f");
    assertThat(new Shell(directory).sh("stat -c %n f")).isEqualTo("f");
  }

  @Test
  void aNameRemovedMeanwhile() throws Exception {
    new Shell(directory).sh("touch f; stat f");
    forgetDuring(opcode -> opcode == Opcode.UNLINK, "rm f");
    assertThat(new Shell(directory).run("stat f").output()).contains("No such file");
  }
}
