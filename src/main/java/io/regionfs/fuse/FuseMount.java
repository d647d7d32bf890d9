package io.regionfs.fuse;

import com.google.errorprone.annotations.MustBeClosed;
import io.regionfs.fs.FileSystem;
import io.regionfs.posix.LibC;
import io.regionfs.posix.MountTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A filesystem mounted on a directory. It serves from the moment {@link #mount} returns until it is
 * closed or unmounted by somebody else; after that its owner still closes it. Its threads are
 * daemons: a process that ends without closing it leaves a dead mount behind.
 */
public final class FuseMount implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(FuseMount.class);
  private static final Duration FIRST_ANSWER = Duration.ofSeconds(30);
  private static final Duration DRAIN = Duration.ofSeconds(2);
  private static final Duration JOIN = Duration.ofSeconds(10);
  private static final int POLL_MILLIS = 5;
  private static final int O_PATH = 010000000;

  private final Path mountPoint;
  private final String device;
  private final FuseSession session;
  private final ScheduledThreadPoolExecutor clock;
  private final TransportChoice transport;
  private final Reception reception;
  private boolean closed;

  private FuseMount(
      Path mountPoint,
      String device,
      FuseSession session,
      TransportChoice transport,
      Reception reception,
      ScheduledThreadPoolExecutor clock) {
    this.mountPoint = mountPoint;
    this.device = device;
    this.session = session;
    this.transport = transport;
    this.reception = reception;
    this.clock = clock;
  }

  /**
   * Mounts and returns once the mount answers. A dead RegionFS mount there is removed first.
   *
   * @param fileSystem borrowed; to be closed after this mount
   * @throws IOException if that is impossible; the message says what the user can do
   */
  @MustBeClosed
  public static FuseMount mount(Path directory, FileSystem fileSystem, FuseOptions options)
      throws IOException {
    Path mountPoint = MountPoint.prepare(directory, options);
    TransportChoice transport = new TransportSelection(fileSystem, options).choose();
    try {
      return mount(mountPoint, fileSystem, options, transport);
    } catch (RingsRefusedException e) {
      LOG.warn("No FUSE over io_uring: {}", e.getMessage());
      TransportChoice threads =
          new TransportChoice(Transport.THREADS, String.valueOf(e.getMessage()));
      return mount(mountPoint, fileSystem, options, threads);
    }
  }

  @MustBeClosed
  private static FuseMount mount(
      Path mountPoint, FileSystem fileSystem, FuseOptions options, TransportChoice transport)
      throws IOException {
    FuseSession session = agree(mountPoint, fileSystem, options, transport.transport());
    ScheduledThreadPoolExecutor clock = newClock();
    int threads = options.maxThreads();
    int fd = session.descriptor();
    Reception reception =
        switch (transport.transport()) {
          case URING -> new RingReception(fd, mountPoint, fileSystem, clock, threads);
          case SPIN -> new DeviceReception(new SpinningChannel(fd), fileSystem, clock, threads);
          default -> new DeviceReception(session.channel(), fileSystem, clock, threads);
        };
    FuseMount mount =
        new FuseMount(mountPoint, deviceAt(mountPoint), session, transport, reception, clock);
    try {
      reception.start();
      mount.awaitFirstAnswer();
      reception.service().mountedAt(mountPoint);
      ReadAhead.raise(mount.device);
    } catch (IOException | RuntimeException e) {
      mount.close();
      throw e;
    }
    LOG.info("Mounted on {}, requests come by {}", mountPoint, transport);
    return mount;
  }

  /** A session that has answered the kernel's INIT. */
  private static FuseSession agree(
      Path mountPoint, FileSystem fileSystem, FuseOptions options, Transport transport)
      throws IOException {
    boolean rings = transport == Transport.URING;
    FuseSession session = FuseSession.mount(mountPoint, options);
    boolean agreed = false;
    try {
      session.handshake(new InitReply(fileSystem, options, rings));
      agreed = true;
      return session;
    } catch (IOException e) {
      throw rings ? new RingsRefusedException("the kernel does not offer it", e) : e;
    } finally {
      if (!agreed) {
        Unmounting.detach(mountPoint);
        session.close();
      }
    }
  }

  private static String deviceAt(Path mountPoint) throws IOException {
    return MountTable.now().at(mountPoint).map(MountTable.Mount::device).orElse("");
  }

  /** One thread, and none while it has nothing to do. */
  private static ScheduledThreadPoolExecutor newClock() {
    ScheduledThreadPoolExecutor clock =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread thread = new Thread(task, "fuse-clock");
              thread.setDaemon(true);
              return thread;
            });
    clock.setKeepAliveTime(10, TimeUnit.SECONDS);
    clock.allowCoreThreadTimeOut(true);
    return clock;
  }

  /** On another thread: a filesystem that hangs must not hang its mounting. */
  private void awaitFirstAnswer() throws IOException {
    CompletableFuture<Boolean> answer =
        CompletableFuture.supplyAsync(
            () -> Files.isDirectory(mountPoint), task -> startDaemon(task, "fuse-probe"));
    try {
      if (!answer.get(FIRST_ANSWER.toSeconds(), TimeUnit.SECONDS)) {
        throw new IOException("the filesystem mounted on " + mountPoint + " has no root directory");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while mounting on " + mountPoint, e);
    } catch (TimeoutException | ExecutionException e) {
      throw new IOException("the filesystem mounted on " + mountPoint + " does not answer", e);
    }
  }

  private static void open(Path directory) {
    int fd = LibC.INSTANCE.open(directory.toString(), LibC.O_RDONLY | LibC.O_CLOEXEC, 0);
    if (fd >= 0) { // a thread still answers; later it is refused as all the rest
      LibC.INSTANCE.close(fd);
    }
  }

  private static Thread startDaemon(Runnable task, String name) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  /** The directory, absolute and without symbolic links. */
  public Path mountPoint() {
    return mountPoint;
  }

  /** Completes when the mount is gone, whoever unmounted it. */
  public CompletableFuture<Void> ended() {
    return reception.ended();
  }

  /** Waits until the mount is gone, whoever unmounted it. */
  public void awaitEnd() throws InterruptedException {
    try {
      reception.ended().get();
    } catch (ExecutionException e) {
      throw new IllegalStateException("the end of a mount cannot fail", e);
    }
  }

  /** What brings its requests. */
  public TransportChoice transport() {
    return transport;
  }

  /** Files that the kernel now reads, writes and maps itself. */
  public int passedFiles() {
    return reception.service().passedFiles();
  }

  /** Threads that serve it now. */
  public int threads() {
    return reception.threads();
  }

  /**
   * Unmounts, even while files are open, and joins all threads. What is in flight gets two seconds
   * to end, then it is interrupted. May be called twice, and from a shutdown hook.
   */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      unmount();
    } catch (IOException e) {
      LOG.error("Left a mount behind on {}: {}", mountPoint, e.getMessage());
      reception.leave();
    }
    clock.shutdownNow();
    reception.service().interrupts().interruptAll();
    if (reception.join(JOIN)) {
      session.close();
      LOG.info("Unmounted {}", mountPoint);
    } else {
      // A descriptor that a running thread still uses may not be given away again.
      LOG.warn("{} operations on {} do not end", reception.busy(), mountPoint);
    }
  }

  private void unmount() throws IOException {
    if (reception.ended().isDone()) {
      return;
    }
    if (!deviceAt(mountPoint).equals(device)) {
      throw new IOException("somebody detached it while it is in use");
    }
    drain();
    int root = LibC.INSTANCE.open(mountPoint.toString(), O_PATH | LibC.O_CLOEXEC, 0);
    if (root < 0) {
      throw new IOException("it cannot be opened (errno " + LibC.errno() + ")");
    }
    try {
      Unmounting.detach(mountPoint);
      wakeThreads(root);
    } finally {
      LibC.INSTANCE.close(root);
    }
  }

  /** Lets requests end that are being served; open files alone do not matter. */
  private void drain() {
    long deadline = System.nanoTime() + DRAIN.toNanos();
    while (reception.busy() > 0 && System.nanoTime() < deadline) {
      try {
        TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  /**
   * A thread that waits in read(2) on /dev/fuse wakes only for a request, or when the kernel lets
   * the mount go, which it does not while a process or another mount namespace holds on to it. So
   * we make requests, of the one kind that the kernel has no cache for, and each thread ends after
   * one more. The last may find nobody left to answer it; closing /dev/fuse ends it.
   */
  private void wakeThreads(int root) {
    boolean allLeave = reception.leave();
    reception.service().interrupts().interruptAll();
    Path self = Path.of("/proc/self/fd/" + root);
    CompletableFuture<Void> ended = reception.ended();
    if (!allLeave) {
      startDaemon(
          () -> {
            while (!ended.isDone()) {
              open(self);
            }
          },
          "fuse-waker");
    }
    try {
      ended.get(JOIN.toSeconds(), TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (TimeoutException | ExecutionException e) {
      LOG.debug("Threads of {} are still at work", mountPoint, e);
    }
  }
}
