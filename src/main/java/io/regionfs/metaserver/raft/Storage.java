package io.regionfs.metaserver.raft;

import com.alipay.sofa.jraft.JRaftServiceFactory;
import com.alipay.sofa.jraft.entity.codec.LogEntryCodecFactory;
import com.alipay.sofa.jraft.entity.codec.v2.LogEntryV2CodecFactory;
import com.alipay.sofa.jraft.option.NodeOptions;
import com.alipay.sofa.jraft.option.RaftOptions;
import com.alipay.sofa.jraft.storage.LogStorage;
import com.alipay.sofa.jraft.storage.RaftMetaStorage;
import com.alipay.sofa.jraft.storage.SnapshotStorage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A replica's directory, opened for one life of the engine, which closes the log in it.
 *
 * <pre>
 *   replica    whose directory this is: cluster and id
 *   vote       term and last vote
 *   log/       RocksDB
 *   log.end    the entry it has reached
 *   snapshot/  the last snapshot
 * </pre>
 */
final class Storage implements JRaftServiceFactory {
  private final Path directory;
  private final LogFiles log;
  private final VoteFile vote;
  private final SealedSnapshots snapshots;

  private Storage(Path directory, LogFiles log, VoteFile vote, SealedSnapshots snapshots) {
    this.directory = directory;
    this.log = log;
    this.vote = vote;
    this.snapshots = snapshots;
  }

  /**
   * @throws CorruptLog if something in it is damaged
   * @throws IOException if it belongs to another replica, or cannot be used
   */
  static Storage open(io.regionfs.metaserver.raft.RaftOptions options, RaftOptions engine)
      throws IOException {
    Path directory = Files.createDirectories(options.directory());
    checkOwner(directory, "cluster " + options.clusterId() + "\nreplica " + options.id() + "\n");
    Path voteFile = directory.resolve("vote");
    boolean voted = Files.exists(voteFile);
    VoteFile vote = new VoteFile(voteFile, options.fsync());
    LogEnd end = LogEnd.open(directory.resolve("log.end"));
    LogFiles log;
    try {
      log = LogFiles.open(directory.resolve("log"), engine, options.group(), end);
    } catch (IOException e) {
      end.close();
      throw e;
    }
    if (!voted && !log.isEmpty()) {
      log.shutdown();
      throw new CorruptLog(voteFile, "the last vote is missing");
    }
    return new Storage(
        directory, log, vote, new SealedSnapshots(directory.resolve("snapshot"), engine));
  }

  private static void checkOwner(Path directory, String owner) throws IOException {
    Path file = directory.resolve("replica");
    if (!Files.exists(file)) {
      DurableFiles.replace(file, owner.getBytes(StandardCharsets.UTF_8), true);
      return;
    }
    String found = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    if (!found.startsWith("cluster ")) {
      throw new CorruptLog(file, "it does not say whose it is");
    }
    if (!found.equals(owner)) {
      throw new IOException(
          directory
              + " belongs to "
              + String.join(", ", found.lines().toList())
              + ", not to "
              + String.join(", ", owner.lines().toList()));
    }
  }

  /** What the engine could not open, though it did not say so. */
  @Nullable IOException unreadable() {
    return snapshots.unreadable();
  }

  /** Closes what was not given to an engine. */
  void close() {
    log.shutdown();
  }

  long snapshotIndex() {
    return snapshots.getLastSnapshotIndex();
  }

  Path snapshotDirectory() {
    return directory.resolve("snapshot");
  }

  @Override
  public LogStorage createLogStorage(String uri, RaftOptions options) {
    return log;
  }

  @Override
  public SnapshotStorage createSnapshotStorage(NodeOptions options) {
    return snapshots;
  }

  @Override
  public RaftMetaStorage createRaftMetaStorage(String uri, RaftOptions options) {
    return vote;
  }

  @Override
  public LogEntryCodecFactory createLogEntryCodecFactory() {
    return LogEntryV2CodecFactory.getInstance();
  }
}
