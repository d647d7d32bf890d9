package io.regionfs.metaserver.state;

import com.google.protobuf.InvalidProtocolBufferException;
import io.regionfs.proto.DirectoryEntry;
import io.regionfs.proto.SnapshotEnd;
import io.regionfs.proto.SnapshotEntries;
import io.regionfs.proto.SnapshotHeader;
import io.regionfs.proto.SnapshotInode;
import io.regionfs.proto.SnapshotOpen;
import io.regionfs.proto.SnapshotRecord;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.CRC32C;
import java.util.zip.CheckedInputStream;
import org.jspecify.annotations.Nullable;

/** Makes a namespace from a snapshot, or says what is wrong with it. */
final class SnapshotReader {
  private static final int BUFFER_BYTES = 64 << 10;

  /** More than any record has: a length beyond it is damage. */
  private static final int MAX_RECORD_BYTES = 64 << 20;

  private final Namespace namespace = Namespace.withoutRoot();
  private final CRC32C crc = new CRC32C();
  private final CheckedInputStream in;
  private long records;
  private long lastInode;
  private SnapshotHeader header = SnapshotHeader.getDefaultInstance();

  private SnapshotReader(InputStream in) {
    this.in = new CheckedInputStream(new BufferedInputStream(in, BUFFER_BYTES), crc);
  }

  /**
   * @throws IOException it is cut, damaged, or of a version that is not known here
   */
  static Namespace read(InputStream in) throws IOException {
    return new SnapshotReader(in).read();
  }

  private Namespace read() throws IOException {
    while (true) {
      long sum = crc.getValue();
      SnapshotRecord record = next();
      if (record.hasEnd()) {
        check(record.getEnd(), (int) sum);
        return namespace;
      }
      try {
        restore(record);
      } catch (RuntimeException e) {
        throw damaged("record " + records + " does not fit: " + e.getMessage(), e);
      }
      records++;
    }
  }

  private SnapshotRecord next() throws IOException {
    try {
      int length = length();
      if (length <= 0 || length > MAX_RECORD_BYTES) {
        throw damaged("record " + records + " has no possible length", null);
      }
      byte[] bytes = in.readNBytes(length);
      if (bytes.length < length) {
        throw new EOFException();
      }
      return SnapshotRecord.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      throw damaged("record " + records + " cannot be read", e);
    } catch (EOFException e) {
      throw new IOException("the snapshot is cut off after " + records + " records", e);
    }
  }

  /** A varint. */
  private int length() throws IOException {
    int length = 0;
    for (int shift = 0; shift < Integer.SIZE; shift += 7) {
      int octet = in.read();
      if (octet < 0) {
        throw new EOFException();
      }
      length |= (octet & 0x7F) << shift;
      if (octet < 0x80) {
        return length;
      }
    }
    return -1;
  }

  private static IOException damaged(String how, @Nullable Throwable e) {
    return new IOException("the snapshot is damaged: " + how, e);
  }

  private void restore(SnapshotRecord record) throws IOException {
    if (record.hasHeader() != (records == 0)) {
      throw damaged("record " + records + " is out of place", null);
    }
    switch (record.getRecordCase()) {
      case HEADER -> begin(record.getHeader());
      case INODE -> restore(record.getInode());
      case ENTRIES -> restore(record.getEntries());
      default -> SmallState.restore(namespace, record);
    }
  }

  private void begin(SnapshotHeader first) throws IOException {
    if (first.getVersion() != SmallState.VERSION) {
      throw new IOException(
          "the snapshot has format version "
              + first.getVersion()
              + ", this program reads version "
              + SmallState.VERSION);
    }
    header = first;
    namespace.restore(header);
  }

  private void restore(SnapshotInode record) throws IOException {
    if (record.getId() <= lastInode || record.getId() > header.getLastInode()) {
      throw damaged("inode " + record.getId() + " is out of place", null);
    }
    lastInode = record.getId();
    Inode inode =
        switch (record.getType()) {
          case FILE_TYPE_FILE -> new Inode(record);
          case FILE_TYPE_DIRECTORY -> new Directory(record);
          case FILE_TYPE_SYMLINK -> new Symlink(record);
          default -> throw damaged("inode " + record.getId() + " has no type", null);
        };
    namespace.inodes().put(inode);
    namespace.inodes().setXattrs(inode, Xattrs.of(record.getXattrsList()));
    for (SnapshotOpen open : record.getOpensList()) {
      namespace.nodes().opened(open.getNode(), inode.id);
    }
    namespace.locks().restored(inode);
    namespace.mutations().end();
  }

  private void restore(SnapshotEntries record) throws IOException {
    if (!(namespace.inodes().find(record.getDirectory()) instanceof Directory directory)) {
      throw damaged("names without directory " + record.getDirectory(), null);
    }
    for (DirectoryEntry one : record.getEntriesList()) {
      Entry entry = new Entry(one.getName(), one.getCookie(), one.getInode());
      if (directory.find(one.getName()) != null || one.getCookie() >= directory.nextCookie()) {
        throw damaged("a name in directory " + directory.id + " is out of place", null);
      }
      directory.add(entry);
      namespace.inodes().exports().entered(directory, entry);
      namespace.mutations().added(directory, entry);
    }
  }

  private void check(SnapshotEnd end, int sum) throws IOException {
    if (end.getCrc32C() != sum || end.getRecords() != records) {
      throw damaged(
          String.format(
              "%d records with checksum %08x, of %d with %08x",
              records, sum, end.getRecords(), end.getCrc32C()),
          null);
    }
    if (in.read() >= 0) {
      throw damaged("something follows its end", null);
    }
    if (namespace.inodes().count() != header.getInodes()
        || namespace.fingerprint() != end.getFingerprint()) {
      throw damaged("it does not give the state it was taken of", null);
    }
  }
}
