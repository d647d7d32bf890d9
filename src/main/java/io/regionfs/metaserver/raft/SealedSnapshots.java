package io.regionfs.metaserver.raft;

import com.alipay.sofa.jraft.entity.RaftOutter.SnapshotMeta;
import com.alipay.sofa.jraft.option.RaftOptions;
import com.alipay.sofa.jraft.storage.snapshot.Snapshot;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotReader;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotWriter;
import com.alipay.sofa.jraft.storage.snapshot.local.LocalSnapshotStorage;
import com.alipay.sofa.jraft.storage.snapshot.local.LocalSnapshotWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The engine's directory of snapshots, with one thing more in each: the checksum of what the engine
 * notes about it, entry, term and voters, which it would believe in any case. The state has its
 * own.
 */
final class SealedSnapshots extends LocalSnapshotStorage {
  private static final Logger LOG = LoggerFactory.getLogger(SealedSnapshots.class);

  /** Of the state in a snapshot's directory. */
  static final String STATE = "state";

  private static final String SEAL = "seal";

  /** Where the engine keeps one that is not finished. */
  private static final String TEMPORARY = "temp";

  private final Path temporary;
  private final RaftOptions options;
  private volatile @Nullable CorruptLog unreadable;

  SealedSnapshots(Path directory, RaftOptions options) {
    super(directory.toString(), "", options);
    this.temporary = directory.resolve(TEMPORARY);
    this.options = options;
  }

  @Override
  @SuppressWarnings("NullAway") // null is what the engine expects of one that failed
  public SnapshotWriter create(boolean fromEmpty) {
    if (fromEmpty && super.create(true) == null) {
      return null; // what an earlier one left could not be removed
    }
    Writer writer = new Writer(temporary, this, options);
    return writer.init(null) ? writer : null;
  }

  /** What {@link #open} could not open. */
  @Nullable CorruptLog unreadable() {
    return unreadable;
  }

  /** The engine would go on as if there was none. */
  @Override
  @SuppressWarnings("NullAway") // null is what the engine expects if there is none
  public SnapshotReader open() {
    SnapshotReader reader = null;
    try {
      reader = super.open();
    } catch (RuntimeException e) {
      LOG.error("Could not open the snapshot beside {}", temporary, e);
    }
    if (reader == null && getLastSnapshotIndex() > 0) {
      unreadable =
          new CorruptLog(
              temporary.resolveSibling(Snapshot.JRAFT_SNAPSHOT_PREFIX + getLastSnapshotIndex()),
              "the snapshot's list of files cannot be read");
    }
    return reader;
  }

  /**
   * @throws CorruptLog if what the engine read about the snapshot isn't what was written
   */
  static void check(SnapshotReader reader, SnapshotMeta meta) throws IOException {
    Path seal = Path.of(reader.getPath(), SEAL);
    byte[] bytes = Files.exists(seal) ? Files.readAllBytes(seal) : new byte[0];
    if (bytes.length != Integer.BYTES || ByteBuffer.wrap(bytes).getInt() != crc(meta)) {
      throw new CorruptLog(
          Path.of(reader.getPath()), "the checksum of the snapshot's position is wrong");
    }
  }

  private static int crc(SnapshotMeta meta) {
    CRC32C crc = new CRC32C();
    crc.update(meta.toByteArray());
    return (int) crc.getValue();
  }

  private static final class Writer extends LocalSnapshotWriter {
    private final Path directory;

    Writer(Path directory, LocalSnapshotStorage storage, RaftOptions options) {
      super(directory.toString(), storage, options);
      this.directory = directory;
    }

    @Override
    public boolean saveMeta(SnapshotMeta meta) {
      // A snapshot that comes from another replica brings its seal along.
      if (!listFiles().contains(STATE)) {
        return super.saveMeta(meta);
      }
      try {
        byte[] seal = ByteBuffer.allocate(Integer.BYTES).putInt(crc(meta)).array();
        DurableFiles.replace(directory.resolve(SEAL), seal, true);
      } catch (IOException e) {
        LOG.error("Could not write to {}", directory, e);
        return false;
      }
      return addFile(SEAL, null) && super.saveMeta(meta);
    }

    @Override
    public void close(boolean keepDataOnError) throws IOException {
      // The engine writes what it gets from others, but doesn't sync it.
      Path state = directory.resolve(STATE);
      if (Files.exists(state)) {
        try (FileChannel channel = FileChannel.open(state, StandardOpenOption.WRITE)) {
          channel.force(true);
        }
      }
      super.close(keepDataOnError);
    }
  }
}
