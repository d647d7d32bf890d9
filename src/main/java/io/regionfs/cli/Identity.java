package io.regionfs.cli;

import java.io.IOException;
import java.io.Reader;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.SecureRandom;
import java.util.Properties;

/**
 * What a node is known by when it comes back: a random number that stays in its state directory.
 */
record Identity(long key) {
  private static final String FILE = "node.properties";
  private static final String KEY = "key";

  /** The one kept there, or a new one that is kept there from now on. */
  static Identity in(Path stateDirectory) throws IOException {
    Path file = stateDirectory.resolve(FILE);
    Properties properties = new Properties();
    if (Files.exists(file)) {
      try (Reader reader = Files.newBufferedReader(file)) {
        properties.load(reader);
        return new Identity(Long.parseUnsignedLong(properties.getProperty(KEY, ""), 16));
      } catch (IllegalArgumentException e) {
        throw new IOException(file + " is damaged: remove it, and the node is a new one", e);
      }
    }
    long key = new SecureRandom().nextLong();
    properties.setProperty(KEY, Long.toHexString(key));
    Path unfinished = stateDirectory.resolve(FILE + ".new");
    try (Writer writer = Files.newBufferedWriter(unfinished)) {
      properties.store(writer, "Who this node is. With another key it is another node.");
    }
    Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
    return new Identity(key);
  }
}
