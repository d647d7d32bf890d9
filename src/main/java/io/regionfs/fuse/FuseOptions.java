package io.regionfs.fuse;

import io.regionfs.posix.LibC;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How to mount.
 *
 * @param maxThreads most requests served at once; operations that wait for longer than a second do
 *     not count
 * @param allowOther other users than the one who mounts may use it; an ordinary user may ask for
 *     this only where /etc/fuse.conf says user_allow_other
 * @param nonEmpty mount even over a directory with entries, which it hides
 * @param transport how requests get here
 * @param transportCache the file where the measurement of {@link Transport#AUTO} is kept; null:
 *     nothing is measured, it means threads
 * @param passThrough the kernel may read, write and map memory of this host itself; needs root and
 *     Linux 6.9
 * @param mountOptions further options of libfuse and mount(8), such as "ro" or "noatime"
 */
public record FuseOptions(
    int maxThreads,
    boolean allowOther,
    boolean nonEmpty,
    Transport transport,
    @Nullable Path transportCache,
    boolean passThrough,
    List<String> mountOptions) {
  private static final Path FUSE_CONF = Path.of("/etc/fuse.conf");
  private static final int DEFAULT_MAX_THREADS = 64;

  public FuseOptions {
    if (maxThreads < 1) {
      throw new IllegalArgumentException("maxThreads must be positive: " + maxThreads);
    }
    mountOptions = List.copyOf(mountOptions);
  }

  /** For everybody where that is allowed, 64 threads, an empty directory. */
  public static FuseOptions defaults() {
    return new FuseOptions(
        DEFAULT_MAX_THREADS, mayAllowOther(), false, Transport.AUTO, null, true, List.of());
  }

  /** Whether this process may mount for other users. */
  public static boolean mayAllowOther() {
    if (LibC.INSTANCE.getuid() == 0) {
      return true;
    }
    try {
      return Files.readAllLines(FUSE_CONF).stream()
          .anyMatch(line -> line.strip().equals("user_allow_other"));
    } catch (IOException e) {
      return false; // no such file, or not for us to read: the default is no
    }
  }

  public FuseOptions withMaxThreads(int threads) {
    return new FuseOptions(
        threads, allowOther, nonEmpty, transport, transportCache, passThrough, mountOptions);
  }

  public FuseOptions withNonEmpty(boolean allowed) {
    return new FuseOptions(
        maxThreads, allowOther, allowed, transport, transportCache, passThrough, mountOptions);
  }

  public FuseOptions withTransport(Transport wanted) {
    return new FuseOptions(
        maxThreads, allowOther, nonEmpty, wanted, transportCache, passThrough, mountOptions);
  }

  public FuseOptions withTransportCache(Path file) {
    return new FuseOptions(
        maxThreads, allowOther, nonEmpty, transport, file, passThrough, mountOptions);
  }

  public FuseOptions withPassThrough(boolean allowed) {
    return new FuseOptions(
        maxThreads, allowOther, nonEmpty, transport, transportCache, allowed, mountOptions);
  }

  public FuseOptions withMountOptions(List<String> options) {
    return new FuseOptions(
        maxThreads, allowOther, nonEmpty, transport, transportCache, passThrough, options);
  }
}
