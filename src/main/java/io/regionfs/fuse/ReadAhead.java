package io.regionfs.fuse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How much the kernel reads at once for a mapping that is read in sequence: one request of the
 * largest size, instead of the 128 KiB that INIT can agree on. It reads as much around a page that
 * is touched at random, unless the program says so with madvise(2): the kernel's own guess, after a
 * hundred misses, counts the neighbours that it mapped beside each as hits (seen on Linux 6.18).
 * read(2) is not concerned, nor are files that were opened before.
 */
final class ReadAhead {
  private static final Logger LOG = LoggerFactory.getLogger(ReadAhead.class);
  private static final Path DEVICES = Path.of("/sys/class/bdi");
  static final int KIB = FuseLimits.MAX_TRANSFER_BYTES / 1024;

  private ReadAhead() {}

  /** The setting of a mount by its device, major:minor. */
  static Path setting(String device) {
    return DEVICES.resolve(device).resolve("read_ahead_kb");
  }

  /** Only root may, and /sys may be missing: then mappings are a little slower. */
  static void raise(String device) {
    Path setting = setting(device);
    if (!Files.isWritable(setting)) {
      LOG.debug("{} cannot be written: mappings read ahead 128 KiB", setting);
      return;
    }
    try {
      Files.writeString(setting, KIB + "\n", StandardOpenOption.WRITE);
    } catch (IOException e) {
      LOG.debug("Mappings read ahead 128 KiB", e);
    }
  }
}
