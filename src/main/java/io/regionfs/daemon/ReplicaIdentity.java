package io.regionfs.daemon;

import java.io.IOException;
import java.io.Reader;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.util.List;
import java.util.Properties;

/**
 * Which replica of which metadata service a state directory belongs to. It is on the disk before
 * the replica takes part in anything.
 *
 * @param id of the replica
 * @param address where it answers calls; the others know it by that
 * @param disk random; another one under the same number means that the first was lost
 * @param clusterId empty until the replica has founded or found its cluster
 * @param voters whom the replica counts as members until its log tells; empty for one that waits to
 *     be taken in
 */
record ReplicaIdentity(int id, String address, long disk, String clusterId, List<String> voters) {
  private static final String FILE = "replica.properties";

  ReplicaIdentity {
    voters = List.copyOf(voters);
  }

  /**
   * The one kept there, or a new one that is kept there from now on.
   *
   * @throws IOException if the directory belongs to another replica, or the file is damaged
   */
  static ReplicaIdentity in(Path stateDirectory, int id, String address) throws IOException {
    Path file = stateDirectory.resolve(FILE);
    if (!Files.exists(file)) {
      ReplicaIdentity fresh =
          new ReplicaIdentity(id, address, new SecureRandom().nextLong() | 1, "", List.of());
      fresh.keep(stateDirectory);
      return fresh;
    }
    ReplicaIdentity known = read(file);
    if (known.id != id) {
      throw new IOException(
          "state directory "
              + stateDirectory
              + " belongs to replica "
              + known.id
              + ", not to --id "
              + id
              + ": give each replica a directory of its own");
    }
    return known;
  }

  private static ReplicaIdentity read(Path file) throws IOException {
    Properties properties = new Properties();
    try (Reader reader = Files.newBufferedReader(file)) {
      properties.load(reader);
      String voters = properties.getProperty("voters", "");
      return new ReplicaIdentity(
          Integer.parseInt(properties.getProperty("id", "")),
          properties.getProperty("address", ""),
          Long.parseUnsignedLong(properties.getProperty("disk", ""), 16),
          properties.getProperty("cluster", ""),
          voters.isEmpty() ? List.of() : List.of(voters.split(",", -1)));
    } catch (IllegalArgumentException e) {
      throw new IOException(
          file
              + " is damaged: if other replicas have the data, remove this one (regionfs meta"
              + " remove), empty its state directory, and add it under a new number",
          e);
    }
  }

  /** The same replica, member of this cluster from now on. */
  ReplicaIdentity in(String cluster, List<String> members) {
    return new ReplicaIdentity(id, address, disk, cluster, members);
  }

  ReplicaIdentity at(String newAddress) {
    return new ReplicaIdentity(id, newAddress, disk, clusterId, voters);
  }

  /** Returns when it is on the disk. */
  void keep(Path stateDirectory) throws IOException {
    Properties properties = new Properties();
    properties.setProperty("id", Integer.toString(id));
    properties.setProperty("address", address);
    properties.setProperty("disk", Long.toHexString(disk));
    properties.setProperty("cluster", clusterId);
    properties.setProperty("voters", String.join(",", voters));
    StringWriter text = new StringWriter();
    properties.store(text, "Which replica of which metadata service this directory belongs to.");
    Path unfinished = stateDirectory.resolve(FILE + ".new");
    try (FileChannel file =
        FileChannel.open(
            unfinished,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      ByteBuffer bytes = ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.UTF_8));
      while (bytes.hasRemaining()) {
        file.write(bytes);
      }
      file.force(true);
    }
    Files.move(unfinished, stateDirectory.resolve(FILE), StandardCopyOption.ATOMIC_MOVE);
    try (FileChannel directory = FileChannel.open(stateDirectory, StandardOpenOption.READ)) {
      directory.force(true);
    }
  }
}
