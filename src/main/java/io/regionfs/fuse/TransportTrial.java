package io.regionfs.fuse;

import io.regionfs.fs.FileSystem;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Measures transports on this host: requests that ask for nothing, from one caller and from several
 * at once, on mounts that are made for that and removed.
 */
final class TransportTrial {
  private static final Logger LOG = LoggerFactory.getLogger(TransportTrial.class);
  private static final int CALLERS = 4;
  private static final long WARM_NANOS = 15_000_000;
  private static final long MEASURE_NANOS = 25_000_000;

  private final FileSystem fileSystem;

  /**
   * @param buffers of which only {@link FileSystem#newBuffer} is used
   */
  TransportTrial(FileSystem buffers) {
    this.fileSystem =
        (FileSystem)
            Proxy.newProxyInstance(
                FileSystem.class.getClassLoader(),
                new Class<?>[] {FileSystem.class},
                (proxy, method, args) ->
                    switch (method.getName()) {
                      case "newBuffer" -> buffers.newBuffer((int) Objects.requireNonNull(args)[0]);
                      case "attributes" -> buffers.attributes(InodeId.ROOT);
                      default -> nothing(method);
                    });
  }

  private static @Nullable Object nothing(Method method) {
    Class<?> type = method.getReturnType();
    if (type == void.class) {
      return null;
    }
    if (type == boolean.class) {
      return false;
    }
    if (type == long.class) {
      return 0L;
    }
    throw new FsException(Errno.ENOSYS, method.getName());
  }

  /** The fastest of these, by the geometric mean of calls per second of one and of several. */
  TransportChoice best(List<Transport> candidates) throws IOException {
    Map<Transport, Double> scores = new EnumMap<>(Transport.class);
    Map<Transport, String> figures = new EnumMap<>(Transport.class);
    Path directory = Files.createTempDirectory("regionfs-transport");
    try {
      for (Transport transport : candidates) {
        try (FuseMount mount = FuseMount.mount(directory, fileSystem, options(transport))) {
          if (mount.transport().transport() == transport) {
            rate(directory, CALLERS, WARM_NANOS);
            double one = rate(directory, 1, MEASURE_NANOS);
            double several = rate(directory, CALLERS, MEASURE_NANOS);
            scores.put(transport, Math.sqrt(one * several));
            figures.put(
                transport,
                String.format(
                    Locale.ROOT, "%s %.0f/%.0f", transport.text(), one / 1e3, several / 1e3));
          }
        }
      }
    } finally {
      Files.delete(directory);
    }
    Transport best =
        scores.entrySet().stream()
            .max(Map.Entry.comparingByValue())
            .map(Map.Entry::getKey)
            .orElse(Transport.THREADS);
    String measured = figures.values().stream().collect(Collectors.joining(", "));
    LOG.info(
        "Thousands of requests a second from one caller/from {}: {}; taking {}",
        CALLERS,
        measured,
        best.text());
    return new TransportChoice(best, "the fastest here, k/s of 1/" + CALLERS + ": " + measured);
  }

  private static FuseOptions options(Transport transport) {
    return FuseOptions.defaults().withTransport(transport).withPassThrough(false);
  }

  private static double rate(Path directory, int callers, long nanos) {
    AtomicLong asked = new AtomicLong();
    long begin = System.nanoTime();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < callers; i++) {
      Thread thread =
          new Thread(() -> asked.addAndGet(ask(directory, begin + nanos)), "fuse-trial");
      thread.setDaemon(true);
      thread.start();
      threads.add(thread);
    }
    boolean interrupted = false;
    for (Thread thread : threads) {
      while (thread.isAlive()) {
        try {
          thread.join();
        } catch (InterruptedException e) {
          interrupted = true; // they end by themselves, and soon
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return asked.get() * 1e9 / (System.nanoTime() - begin);
  }

  private static long ask(Path directory, long until) {
    long asked = 0;
    try (Nudge nudge = new Nudge(directory)) {
      for (; System.nanoTime() - until < 0; asked++) {
        nudge.ask();
      }
    }
    return asked;
  }
}
