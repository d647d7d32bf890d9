package io.regionfs.metaserver.raft;

import com.alipay.sofa.jraft.conf.ConfigurationEntry;
import com.alipay.sofa.jraft.conf.ConfigurationManager;
import com.alipay.sofa.jraft.entity.EnumOutter.EntryType;
import com.alipay.sofa.jraft.entity.LogEntry;
import com.alipay.sofa.jraft.entity.codec.v2.LogEntryV2CodecFactory;
import com.alipay.sofa.jraft.option.LogStorageOptions;
import com.alipay.sofa.jraft.option.RaftOptions;
import com.alipay.sofa.jraft.storage.impl.RocksDBLogStorage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The engine's log in RocksDB, read through once when it is opened: a hole, an entry with a wrong
 * checksum or an end before {@link LogEnd} is refused. The engine alone would find a bad entry when
 * it needs it, and would take a missing end for a shorter log.
 */
final class LogFiles extends RocksDBLogStorage {
  private static final Logger LOG = LoggerFactory.getLogger(LogFiles.class);

  private final Path directory;
  private final LogEnd end;
  private final List<ConfigurationEntry> voters = new ArrayList<>();

  private LogFiles(Path directory, RaftOptions options, LogEnd end) {
    super(directory.toString(), options);
    this.directory = directory;
    this.end = end;
  }

  /**
   * A log that is open already when the engine asks for it.
   *
   * @param group names the threads that work for it
   * @param end closed with the log
   * @throws CorruptLog if the log is damaged
   */
  static LogFiles open(Path directory, RaftOptions options, String group, LogEnd end)
      throws IOException {
    RocksSettings.install();
    LogFiles log = new LogFiles(directory, options, end);
    LogStorageOptions needed = new LogStorageOptions();
    needed.setGroupId(group);
    needed.setConfigurationManager(new ConfigurationManager());
    needed.setLogEntryCodecFactory(LogEntryV2CodecFactory.getInstance());
    if (!log.open(needed)) {
      throw RocksSettings.whyUnreadable(directory);
    }
    try {
      log.check(needed.getConfigurationManager());
      return log;
    } catch (IOException | RuntimeException e) {
      log.shutdown();
      throw e;
    }
  }

  private boolean open(LogStorageOptions needed) {
    return super.init(needed);
  }

  /** By the engine, which learns the voters from it. */
  @Override
  public boolean init(LogStorageOptions options) {
    voters.forEach(options.getConfigurationManager()::add);
    return true;
  }

  private void check(ConfigurationManager known) throws IOException {
    long first = getFirstLogIndex();
    long last = getLastLogIndex();
    if (isSync() && Math.max(last, first - 1) < end.index()) {
      throw new CorruptLog(
          directory, "the log ends at entry " + last + ", but had reached " + end.index());
    }
    for (long index = first; index <= last; index++) {
      LogEntry entry = getEntry(index);
      if (entry == null || entry.isCorrupted() || entry.getId().getIndex() != index) {
        throw new CorruptLog(
            directory, "entry " + index + " of " + first + " to " + last + " is missing or wrong");
      }
      if (entry.getType() == EntryType.ENTRY_TYPE_CONFIGURATION) {
        ConfigurationEntry configuration = known.get(index);
        if (configuration.getId().getIndex() != index) {
          throw new CorruptLog(directory, "the list of voters of entry " + index + " is missing");
        }
        voters.add(configuration);
      }
    }
  }

  /** Whether anything was ever written. */
  boolean isEmpty() {
    return getLastLogIndex() == 0 && getFirstLogIndex() == 1;
  }

  @Override
  public boolean appendEntry(LogEntry entry) {
    return super.appendEntry(entry) && reached(entry.getId().getIndex());
  }

  @Override
  public int appendEntries(List<LogEntry> entries) {
    int appended = super.appendEntries(entries);
    if (appended > 0) {
      reached(entries.get(appended - 1).getId().getIndex());
    }
    return appended;
  }

  /** The entry is in the log, whether this can be noted or not. */
  private boolean reached(long index) {
    try {
      end.raiseTo(index);
    } catch (IOException e) {
      LOG.warn("Could not note the end of the log in {}", directory, e);
    }
    return true;
  }

  @Override
  public boolean truncateSuffix(long lastIndexKept) {
    return lowered(Math.min(end.index(), lastIndexKept)) && super.truncateSuffix(lastIndexKept);
  }

  @Override
  public boolean reset(long nextLogIndex) {
    return lowered(0) && super.reset(nextLogIndex);
  }

  private boolean lowered(long index) {
    try {
      end.lowerTo(index);
      return true;
    } catch (IOException e) {
      LOG.error("Could not note the end of the log in {}", directory, e);
      return false;
    }
  }

  @Override
  protected void onShutdown() {
    try {
      end.close();
    } catch (IOException e) {
      LOG.warn("Could not close the note of the log's end in {}", directory, e);
    }
  }
}
