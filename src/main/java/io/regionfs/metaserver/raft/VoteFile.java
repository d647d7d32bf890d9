package io.regionfs.metaserver.raft;

import com.alipay.sofa.jraft.core.NodeImpl;
import com.alipay.sofa.jraft.entity.EnumOutter.ErrorType;
import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.error.RaftError;
import com.alipay.sofa.jraft.error.RaftException;
import com.alipay.sofa.jraft.option.RaftMetaStorageOptions;
import com.alipay.sofa.jraft.storage.RaftMetaStorage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The term and whom this replica voted for in it, on disk before anyone hears of it. Unlike the
 * engine's own, it has a checksum: a damaged vote could be given twice. The engine calls it under
 * its lock.
 *
 * <p>The file: magic (8 bytes), term (8), candidate (text), CRC-32C of all before (4).
 */
final class VoteFile implements RaftMetaStorage {
  private static final Logger LOG = LoggerFactory.getLogger(VoteFile.class);
  private static final long MAGIC = 0x5246_5356_4F54_4531L; // RFSVOTE1
  private static final int FIXED_BYTES = Long.BYTES + Long.BYTES + Integer.BYTES;

  private final Path file;
  private final boolean fsync;
  private @Nullable NodeImpl node;
  private long term;
  private PeerId candidate = PeerId.emptyPeer();

  /**
   * @throws CorruptLog if it is damaged
   */
  VoteFile(Path file, boolean fsync) throws IOException {
    this.file = file;
    this.fsync = fsync;
    if (Files.exists(file)) {
      load();
    }
  }

  private void load() throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    ByteBuffer in = ByteBuffer.wrap(bytes);
    int crcAt = bytes.length - Integer.BYTES;
    if (bytes.length < FIXED_BYTES
        || in.getLong() != MAGIC
        || in.getInt(crcAt) != crc(bytes, crcAt)) {
      throw new CorruptLog(file, "the checksum of the last vote is wrong");
    }
    term = in.getLong();
    String text =
        new String(bytes, in.position(), crcAt - in.position(), StandardCharsets.US_ASCII);
    if (!text.isEmpty() && !candidate.parse(text)) {
      throw new CorruptLog(file, "it names no replica: " + text);
    }
  }

  private static int crc(byte[] bytes, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, length);
    return (int) crc.getValue();
  }

  @Override
  public boolean init(RaftMetaStorageOptions options) {
    node = options.getNode();
    return true;
  }

  private boolean save() {
    byte[] name =
        candidate.isEmpty()
            ? new byte[0]
            : candidate.toString().getBytes(StandardCharsets.US_ASCII);
    ByteBuffer out = ByteBuffer.allocate(FIXED_BYTES + name.length);
    out.putLong(MAGIC).putLong(term).put(name);
    out.putInt(crc(out.array(), out.position()));
    try {
      DurableFiles.replace(file, out.array(), fsync);
      return true;
    } catch (IOException e) {
      LOG.error("Could not write {}", file, e);
      if (node != null) {
        node.onError(
            new RaftException(ErrorType.ERROR_TYPE_META, RaftError.EIO, "cannot write " + file));
      }
      return false;
    }
  }

  @Override
  public void shutdown() {
    // Every change is on disk already.
  }

  @Override
  public boolean setTerm(long newTerm) {
    term = newTerm;
    return save();
  }

  @Override
  public long getTerm() {
    return term;
  }

  @Override
  public boolean setVotedFor(PeerId peer) {
    candidate = peer;
    return save();
  }

  @Override
  public PeerId getVotedFor() {
    return candidate;
  }

  @Override
  public boolean setTermAndVotedFor(long newTerm, PeerId peer) {
    term = newTerm;
    candidate = peer;
    return save();
  }
}
