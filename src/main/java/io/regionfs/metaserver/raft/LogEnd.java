package io.regionfs.metaserver.raft;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The index up to which the log is known to be on disk, kept beside it: a log that ends before has
 * lost what it acknowledged, which the log alone cannot tell from a write that never finished. It
 * is written after the log and never waited for, so it may lag behind after a power failure.
 *
 * <p>The file: the index and its complement, 8 bytes each. Used by one thread at a time.
 */
final class LogEnd implements AutoCloseable {
  private static final int BYTES = 16;

  private final Path file;
  private final FileChannel channel;
  private final ByteBuffer buffer = ByteBuffer.allocate(BYTES);
  private long index;

  private LogEnd(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /**
   * @throws CorruptLog if it is damaged
   */
  static LogEnd open(Path file) throws IOException {
    boolean isNew = !Files.exists(file);
    FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    LogEnd end = new LogEnd(file, channel);
    try {
      if (isNew) {
        end.lowerTo(0);
      } else {
        end.index = end.read();
      }
      return end;
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  private long read() throws IOException {
    buffer.clear();
    while (buffer.hasRemaining() && channel.read(buffer, buffer.position()) > 0) {
      // until it is full or the file ends
    }
    if (buffer.position() != BYTES || channel.size() != BYTES) {
      throw new CorruptLog(file, "has " + channel.size() + " bytes instead of " + BYTES);
    }
    buffer.flip();
    long value = buffer.getLong();
    if (value != ~buffer.getLong()) {
      throw new CorruptLog(file, "its two copies differ");
    }
    return value;
  }

  long index() {
    return index;
  }

  /** The log has reached the disk up to there. */
  void raiseTo(long newIndex) throws IOException {
    if (newIndex > index) {
      write(newIndex);
    }
  }

  /** To be called before the log is cut; on disk when it returns. */
  void lowerTo(long newIndex) throws IOException {
    write(newIndex);
    channel.force(true);
  }

  private void write(long newIndex) throws IOException {
    buffer.clear().putLong(newIndex).putLong(~newIndex).flip();
    while (buffer.hasRemaining()) {
      channel.write(buffer, buffer.position());
    }
    index = newIndex;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
