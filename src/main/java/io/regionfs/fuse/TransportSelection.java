package io.regionfs.fuse;

import io.regionfs.fs.FileSystem;
import io.regionfs.posix.LibC;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which transport a mount gets. What was measured is kept in a file, and used again as long as
 * kernel, processors, this program and what is possible are the same.
 */
final class TransportSelection {
  private static final Logger LOG = LoggerFactory.getLogger(TransportSelection.class);
  private static final Path RELEASE = Path.of("/proc/sys/kernel/osrelease");

  private final FileSystem fileSystem;
  private final FuseOptions options;

  TransportSelection(FileSystem fileSystem, FuseOptions options) {
    this.fileSystem = fileSystem;
    this.options = options;
  }

  TransportChoice choose() {
    int cpus = Runtime.getRuntime().availableProcessors();
    return switch (options.transport()) {
      case THREADS -> asked(Transport.THREADS);
      case SPIN ->
          cpus > 1
              ? asked(Transport.SPIN)
              : new TransportChoice(Transport.THREADS, "with a single CPU nobody may spin");
      case URING -> {
        String obstacle = UringSupport.obstacle();
        yield obstacle.isEmpty()
            ? asked(Transport.URING)
            : new TransportChoice(Transport.THREADS, obstacle);
      }
      case AUTO -> measured(cpus);
    };
  }

  private static TransportChoice asked(Transport transport) {
    return new TransportChoice(transport, "asked for");
  }

  private TransportChoice measured(int cpus) {
    Path cache = options.transportCache();
    if (cache == null || LibC.INSTANCE.getuid() != 0) {
      return new TransportChoice(
          Transport.THREADS, cache == null ? "the default" : "the default without privileges");
    }
    String obstacle = UringSupport.obstacle();
    List<Transport> candidates = new ArrayList<>(List.of(Transport.THREADS));
    if (cpus > 1) {
      candidates.add(Transport.SPIN);
    }
    if (obstacle.isEmpty()) {
      candidates.add(Transport.URING);
    }
    try {
      String key = key(cpus, candidates);
      TransportChoice kept = kept(cache, key);
      TransportChoice choice = kept == null ? trial(cache, key, candidates) : kept;
      return obstacle.isEmpty()
          ? choice
          : new TransportChoice(choice.transport(), choice.reason() + "; " + obstacle);
    } catch (IOException e) {
      LOG.warn("Transports could not be measured: threads it is", e);
      return new TransportChoice(Transport.THREADS, "others could not be measured: " + e);
    }
  }

  private TransportChoice trial(Path cache, String key, List<Transport> candidates)
      throws IOException {
    TransportChoice best = new TransportTrial(fileSystem).best(candidates);
    Files.write(cache, List.of(key, best.transport().text(), best.reason()));
    return best;
  }

  private static String key(int cpus, List<Transport> candidates) throws IOException {
    String version = TransportSelection.class.getPackage().getImplementationVersion();
    return Files.readString(RELEASE).strip() + " " + cpus + " " + version + " " + candidates;
  }

  private static @Nullable TransportChoice kept(Path cache, String key) {
    try {
      List<String> lines = Files.exists(cache) ? Files.readAllLines(cache) : List.of();
      return lines.size() == 3 && lines.get(0).equals(key)
          ? new TransportChoice(Transport.parse(lines.get(1)), lines.get(2))
          : null;
    } catch (IOException | IllegalArgumentException e) {
      LOG.debug("{} cannot be read: it is measured again", cache, e);
      return null;
    }
  }
}
