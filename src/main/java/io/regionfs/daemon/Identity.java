package io.regionfs.daemon;

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
public record Identity(long key) {
  private static final String FILE = "node.properties";
  private static final String KEY = "key";
  private static final String CLUSTER = "cluster";

  /** The one kept there, or a new one that is kept there from now on. */
  public static Identity in(Path stateDirectory) throws IOException {
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
    store(properties, stateDirectory);
    return new Identity(key);
  }

  private static void store(Properties properties, Path stateDirectory) throws IOException {
    Path unfinished = stateDirectory.resolve(FILE + ".new");
    try (Writer writer = Files.newBufferedWriter(unfinished)) {
      properties.store(writer, "Who this node is. With another key it is another node.");
    }
    Files.move(unfinished, stateDirectory.resolve(FILE), StandardCopyOption.ATOMIC_MOVE);
  }

  /**
   * Keeps a node that {@link #in} made from coming to another cluster than the one whose files are
   * in its memory: there nobody would know them, and they would be deleted.
   *
   * @param bind whether it belongs to this cluster from now on
   * @throws CommandFailure if it belongs to another
   */
  public static void checkCluster(Path stateDirectory, String clusterId, boolean bind)
      throws IOException {
    Properties properties = new Properties();
    try (Reader reader = Files.newBufferedReader(stateDirectory.resolve(FILE))) {
      properties.load(reader);
    }
    String known = properties.getProperty(CLUSTER);
    if (known != null && !known.equals(clusterId)) {
      throw new CommandFailure(
          "state directory "
              + stateDirectory
              + " belongs to a node of cluster "
              + known
              + ", and this is cluster "
              + clusterId
              + ": check --meta and --state-dir; to give up the files in this node's memory, remove"
              + " the state directory");
    }
    if (known == null && bind) {
      properties.setProperty(CLUSTER, clusterId);
      store(properties, stateDirectory);
    }
  }
}
