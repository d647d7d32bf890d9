package io.regionfs.region;

import com.google.errorprone.annotations.MustBeClosed;
import io.regionfs.posix.OwnTmpfs;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A directory of lent memory: owned by one process at a time, which holds the lock on its file.
 * What is below it is a tmpfs of its own with the bytes of the regions, if there is one.
 */
public final class MemoryDirectory implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(MemoryDirectory.class);
  private static final String LOCK = "lock";

  private final Path path;
  private final FileChannel lockFile;

  private MemoryDirectory(Path path, FileChannel lockFile) {
    this.path = path;
    this.lockFile = lockFile;
  }

  /**
   * Makes the directory if missing, for its owner alone, and locks it.
   *
   * @throws IOException also if another process, or this one, has it open
   */
  @MustBeClosed
  static MemoryDirectory lock(Path path) throws IOException {
    Files.createDirectories(
        path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    FileChannel file = tryLock(path);
    if (file == null) {
      throw new IOException("the memory directory " + path + " is in use by another node");
    }
    return new MemoryDirectory(path, file);
  }

  private static @Nullable FileChannel tryLock(Path path) throws IOException {
    FileChannel file =
        FileChannel.open(path.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    boolean locked = false;
    try {
      FileLock lock = file.tryLock();
      locked = lock != null;
    } catch (OverlappingFileLockException e) {
      LOG.debug("{} is locked by this process", path, e);
    } finally {
      if (!locked) {
        file.close();
      }
    }
    return locked ? file : null;
  }

  /** Whether the bytes of regions are in a directory itself. */
  public static boolean holdsRegions(Path path) throws IOException {
    try (Stream<Path> entries = Files.list(path)) {
      return entries.anyMatch(
          entry -> BackingFiles.isRegionName(String.valueOf(entry.getFileName())));
    } catch (NoSuchFileException e) {
      LOG.debug("nothing was lent from {}", path, e);
      return false;
    }
  }

  Path path() {
    return path;
  }

  /**
   * Deletes a directory of lent memory with all its regions.
   *
   * @return false if a process has it open: then nothing is deleted
   */
  public static boolean delete(Path path) throws IOException {
    if (!Files.isRegularFile(path.resolve(LOCK))) {
      return false;
    }
    FileChannel file = tryLock(path);
    if (file == null) {
      return false;
    }
    try (file;
        DirectoryStream<Path> entries = Files.newDirectoryStream(path)) {
      for (Path entry : entries) {
        if (Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
          OwnTmpfs.discard(entry);
        } else {
          Files.deleteIfExists(entry);
        }
      }
      Files.deleteIfExists(path);
    }
    return true;
  }

  /**
   * Deletes the directories of lent memory below a base that belong to other clusters and that no
   * process has open: their metadata is gone, so nobody can name their regions. Anything else below
   * the base stays.
   *
   * @return how many were deleted
   */
  public static int deleteOthers(Path base, String keptName) throws IOException {
    int deleted = 0;
    try (Stream<Path> below = Files.list(base)) {
      for (Path path : below.filter(Files::isDirectory).toList()) {
        if (!path.endsWith(keptName) && delete(path)) {
          LOG.info("Deleted {}: lent memory of another cluster", path);
          deleted++;
        }
      }
    } catch (NoSuchFileException e) {
      LOG.debug("nothing was lent from {}", base, e);
    }
    return deleted;
  }

  @Override
  public void close() {
    try {
      lockFile.close();
    } catch (IOException e) {
      LOG.warn("Cannot unlock {}", path, e);
    }
  }
}
