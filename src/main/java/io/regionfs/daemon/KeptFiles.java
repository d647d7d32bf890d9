package io.regionfs.daemon;

import java.io.IOException;
import java.io.Reader;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.Optional;
import java.util.Properties;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a mount with a metadata service of its own leaves behind when it ends with files in it:
 * their names in the state directory, their bytes in the memory directory. A note in the state
 * directory says how much.
 *
 * @param inodes files, directories and symlinks, without the root
 * @param bytes of memory
 * @param memory the directory with it
 */
public record KeptFiles(long inodes, long bytes, Path memory) {
  /** Names, and all else that the metadata service of a mount keeps. */
  public static final String METADATA = "metadata";

  private static final String NOTE = "kept.properties";

  /** Written when a mount ends with files, removed when it begins. */
  void note(Path stateDirectory) throws IOException {
    Properties properties = new Properties();
    properties.setProperty("inodes", Long.toString(inodes));
    properties.setProperty("bytes", Long.toString(bytes));
    properties.setProperty("memory", memory.toString());
    Path unfinished = stateDirectory.resolve(NOTE + ".new");
    try (Writer writer = Files.newBufferedWriter(unfinished)) {
      properties.store(writer, "What the mount left; 'regionfs umount --discard' frees it.");
    }
    Files.move(unfinished, stateDirectory.resolve(NOTE), StandardCopyOption.ATOMIC_MOVE);
  }

  /** After a mount that was killed: what it left is known by its memory alone. */
  public static void noteOfKilled(Path stateDirectory, Path memory) throws IOException {
    new KeptFiles(0, 0, memory).note(stateDirectory);
  }

  static void forgetNote(Path stateDirectory) throws IOException {
    Files.deleteIfExists(stateDirectory.resolve(NOTE));
  }

  /** Empty if the mount left nothing, or was killed and nobody has noted that yet. */
  public static Optional<KeptFiles> in(Path stateDirectory) {
    Properties properties = new Properties();
    try (Reader reader = Files.newBufferedReader(stateDirectory.resolve(NOTE))) {
      properties.load(reader);
      return Optional.of(
          new KeptFiles(
              Long.parseLong(properties.getProperty("inodes", "")),
              Long.parseLong(properties.getProperty("bytes", "")),
              Path.of(properties.getProperty("memory", ""))));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException | IllegalArgumentException e) {
      throw new CommandFailure("cannot read what " + stateDirectory + " keeps: " + e, e);
    }
  }

  /** For the user. */
  public String text() {
    return "kept "
        + inodes
        + (inodes == 1 ? " file, " : " files, ")
        + Sizes.format(bytes)
        + " of memory in "
        + memory;
  }

  /**
   * Frees what a mount left, whether it ended or was killed.
   *
   * @param memory null: where the note says
   * @throws CommandFailure if a process uses it
   */
  public static void discard(Path stateDirectory, @Nullable Path memory) {
    if (!Files.isDirectory(stateDirectory)) {
      return;
    }
    Lifetimes held = new Lifetimes();
    try (held) {
      held.add("state lock", lock(stateDirectory));
      Path lent = memory == null ? in(stateDirectory).map(KeptFiles::memory).orElse(null) : memory;
      if (lent != null) {
        LentDirectory.remove(lent);
      }
      discardNames(stateDirectory);
      forgetNote(stateDirectory);
    } catch (IOException e) {
      throw new CommandFailure(
          "cannot remove what " + stateDirectory + " keeps: " + Directories.reason(e), e);
    }
  }

  @SuppressWarnings("MustBeClosedChecker") // the caller gives it to lifetimes
  private static StateLock lock(Path stateDirectory) {
    return StateLock.take(stateDirectory);
  }

  /** Removes the metadata of a mount; the next one on this state directory begins anew. */
  static void discardNames(Path stateDirectory) throws IOException {
    Path metadata = stateDirectory.resolve(METADATA);
    if (!Files.isDirectory(metadata)) {
      return;
    }
    try (Stream<Path> files = Files.walk(metadata)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }
}
