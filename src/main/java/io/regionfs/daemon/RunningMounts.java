package io.regionfs.daemon;

import io.regionfs.posix.ProcessWatch;
import java.io.IOException;
import java.io.Reader;
import java.io.Writer;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * The nodes that run on this host for this user: one small properties file each, in a directory
 * that only the user can enter. It is how {@code umount}, {@code status} and {@code region} find
 * the process behind a mount. A node that was killed leaves its file; readers see by pid and start
 * time that it is gone.
 */
public final class RunningMounts {
  private final Path directory;

  public RunningMounts(Path directory) {
    this.directory = directory;
  }

  /**
   * A node and where it is found.
   *
   * @param start when the process started, see {@link ProcessWatch#startOf}
   * @param memoryDirectory what it lends
   * @param ownsCluster its metadata service is embedded: when it is gone, so is the memory
   */
  public record Entry(
      long pid,
      long start,
      Path mountPoint,
      Path stateDirectory,
      Path memoryDirectory,
      Path controlSocket,
      boolean ownsCluster) {
    public boolean isRunning() {
      return ProcessWatch.isRunning(pid, start);
    }
  }

  /** Where the node of this mount point is to listen for commands; short enough for a socket. */
  Path controlSocket(Path mountPoint) {
    return directory.resolve(Integer.toHexString(mountPoint.hashCode()) + ".sock");
  }

  private Path file(Path mountPoint) {
    return directory.resolve(Directories.nameOf(mountPoint) + ".properties");
  }

  void add(Entry entry) throws IOException {
    Properties properties = new Properties();
    properties.setProperty("pid", Long.toString(entry.pid()));
    properties.setProperty("start", Long.toString(entry.start()));
    properties.setProperty("mountPoint", entry.mountPoint().toString());
    properties.setProperty("stateDirectory", entry.stateDirectory().toString());
    properties.setProperty("memoryDirectory", entry.memoryDirectory().toString());
    properties.setProperty("controlSocket", entry.controlSocket().toString());
    properties.setProperty("ownsCluster", Boolean.toString(entry.ownsCluster()));
    Path file = file(entry.mountPoint());
    Path unfinished = directory.resolve(file.getFileName() + "." + entry.pid());
    try (Writer writer = Files.newBufferedWriter(unfinished)) {
      properties.store(writer, null);
    }
    Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
  }

  /** Forgets a node: its file goes, if it is not another's by now. */
  public void remove(Entry entry) throws IOException {
    Path file = file(entry.mountPoint());
    Entry found = Files.exists(file) ? read(file) : null;
    if (found != null && found.pid() == entry.pid() && found.start() == entry.start()) {
      Files.deleteIfExists(entry.controlSocket());
      Files.deleteIfExists(file);
    }
  }

  /** All of them, those that were killed too, by mount point. */
  public List<Entry> all() {
    List<Entry> entries = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*.properties")) {
      for (Path file : files) {
        Entry entry = read(file);
        if (entry != null) {
          entries.add(entry);
        }
      }
    } catch (NoSuchFileException e) {
      return List.of();
    } catch (IOException e) {
      throw new CommandFailure("cannot read " + directory + ": " + Directories.reason(e), e);
    }
    entries.sort(Comparator.comparing(Entry::mountPoint));
    return entries;
  }

  public Optional<Entry> at(Path mountPoint) {
    return all().stream().filter(entry -> entry.mountPoint().equals(mountPoint)).findFirst();
  }

  /** The node in whose mount this path lies. */
  public Optional<Entry> above(Path path) {
    return all().stream()
        .filter(entry -> entry.isRunning() && path.startsWith(entry.mountPoint()))
        .max(Comparator.comparingInt(entry -> entry.mountPoint().getNameCount()));
  }

  /** Null if it vanished meanwhile or is none of ours. */
  private static @Nullable Entry read(Path file) throws IOException {
    Properties properties = new Properties();
    try (Reader reader = Files.newBufferedReader(file)) {
      properties.load(reader);
      return new Entry(
          Long.parseLong(properties.getProperty("pid", "")),
          Long.parseLong(properties.getProperty("start", "")),
          Path.of(properties.getProperty("mountPoint", "")),
          Path.of(properties.getProperty("stateDirectory", "")),
          Path.of(properties.getProperty("memoryDirectory", "")),
          Path.of(properties.getProperty("controlSocket", "")),
          Boolean.parseBoolean(properties.getProperty("ownsCluster")));
    } catch (NoSuchFileException | IllegalArgumentException e) {
      return null;
    }
  }
}
