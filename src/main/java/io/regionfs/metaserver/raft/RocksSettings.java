package io.regionfs.metaserver.raft;

import com.alipay.sofa.jraft.storage.impl.RocksDBLogStorage;
import com.alipay.sofa.jraft.util.StorageOptionsFactory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.CompressionType;
import org.rocksdb.DBOptions;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.LRUCache;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.Status.Code;
import org.rocksdb.StringAppendOperator;
import org.rocksdb.WALRecoveryMode;

/**
 * How RocksDB keeps the log: in little memory, as it is written once and hardly read; and refusing
 * what is damaged, except a last write that did not finish. The engine's defaults are made for
 * hosts that do nothing else, and would silently go on with what is before the damage.
 */
final class RocksSettings {
  private static final long WRITE_BUFFER_BYTES = 4 << 20;
  private static final long WRITE_AHEAD_LOG_BYTES = 16 << 20;
  private static final long BLOCK_CACHE_BYTES = 4 << 20;
  private static final int OPEN_FILES = 64;
  private static final byte[] VOTERS = "Configuration".getBytes(StandardCharsets.US_ASCII);

  static {
    RocksDB.loadLibrary();
    // The engine copies them for each log it opens, so they live as long as the process.
    StorageOptionsFactory.registerRocksDBOptions(RocksDBLogStorage.class, database());
    StorageOptionsFactory.registerRocksDBColumnFamilyOptions(RocksDBLogStorage.class, family());
    StorageOptionsFactory.registerRocksDBTableFormatConfig(
        RocksDBLogStorage.class,
        new BlockBasedTableConfig().setBlockCache(new LRUCache(BLOCK_CACHE_BYTES)));
  }

  private RocksSettings() {}

  /** The engine uses them from now on, for every log of the process. */
  static void install() {
    // Done by the static initialiser, once.
  }

  private static DBOptions database() {
    return new DBOptions()
        .setCreateIfMissing(true)
        .setCreateMissingColumnFamilies(true)
        .setWalRecoveryMode(WALRecoveryMode.TolerateCorruptedTailRecords)
        .setMaxTotalWalSize(WRITE_AHEAD_LOG_BYTES)
        .setMaxOpenFiles(OPEN_FILES)
        .setMaxBackgroundJobs(2)
        .setStatsDumpPeriodSec(0)
        .setStatsPersistPeriodSec(0)
        .setInfoLogLevel(InfoLogLevel.WARN_LEVEL)
        .setKeepLogFileNum(2)
        .setMaxLogFileSize(1 << 20);
  }

  private static ColumnFamilyOptions family() {
    return new ColumnFamilyOptions()
        .setWriteBufferSize(WRITE_BUFFER_BYTES)
        .setMaxWriteBufferNumber(2)
        .setCompressionType(CompressionType.NO_COMPRESSION)
        .setForceConsistencyChecks(true);
  }

  /** Opens a log that the engine could not open, as the engine tells nobody why. */
  static IOException whyUnreadable(Path directory) {
    List<ColumnFamilyHandle> handles = new ArrayList<>();
    try (DBOptions options = database();
        ColumnFamilyOptions family =
            family().useFixedLengthPrefixExtractor(8).setMergeOperator(new StringAppendOperator());
        RocksDB database =
            RocksDB.open(
                options,
                directory.toString(),
                List.of(
                    new ColumnFamilyDescriptor(VOTERS, family),
                    new ColumnFamilyDescriptor(RocksDB.DEFAULT_COLUMN_FAMILY, family)),
                handles)) {
      handles.forEach(ColumnFamilyHandle::close);
      return new CorruptLog(
          directory, "could not be opened at first, then " + database.getName() + " could");
    } catch (RocksDBException e) {
      return causeOf(directory, e);
    }
  }

  private static IOException causeOf(Path directory, RocksDBException e) {
    Code code = e.getStatus() == null ? Code.Undefined : e.getStatus().getCode();
    String text = String.valueOf(e.getMessage());
    boolean busy = code == Code.IOError && (text.contains("LOCK") || text.contains("No space"));
    return busy
        ? new IOException("cannot open the log in " + directory + ": " + text, e)
        : new CorruptLog(directory, text);
  }
}
