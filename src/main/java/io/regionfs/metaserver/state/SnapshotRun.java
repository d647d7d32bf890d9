package io.regionfs.metaserver.state;

import io.regionfs.proto.SnapshotEnd;
import io.regionfs.proto.SnapshotRecord;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.zip.CRC32C;

/**
 * A snapshot under way: what is small was copied when it began; inodes and names are taken in
 * slices, between which commands go on.
 */
final class SnapshotRun implements Replica.Snapshot {
  private final ReadWriteLock lock;
  private final Namespace namespace;
  private final List<SnapshotRecord> small;
  private final long fingerprint;
  private final PreImages images;
  private boolean closed;

  /** Between two commands, under the lock. */
  SnapshotRun(ReadWriteLock lock, Namespace namespace, int slice) {
    this.lock = lock;
    this.namespace = namespace;
    this.small = SmallState.records(namespace);
    this.fingerprint = namespace.fingerprint();
    this.images =
        new PreImages(
            namespace.inodes().table(), namespace.inodes().dead(), namespace.lastInode(), slice);
    namespace.mutations().saveTo(images);
  }

  @Override
  public void writeTo(OutputStream out) throws IOException {
    CRC32C crc = new CRC32C();
    List<SnapshotRecord> slice = small;
    long records = 0;
    while (!slice.isEmpty()) {
      records += slice.size();
      byte[] bytes = bytes(slice);
      crc.update(bytes);
      out.write(bytes);
      slice = next();
    }
    SnapshotEnd end =
        SnapshotEnd.newBuilder()
            .setRecords(records)
            .setCrc32C((int) crc.getValue())
            .setFingerprint(fingerprint)
            .build();
    out.write(bytes(List.of(SnapshotRecord.newBuilder().setEnd(end).build())));
    out.flush();
  }

  private static byte[] bytes(List<SnapshotRecord> records) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (SnapshotRecord record : records) {
      record.writeDelimitedTo(bytes);
    }
    return bytes.toByteArray();
  }

  private List<SnapshotRecord> next() throws IOException {
    lock.readLock().lock();
    try {
      if (closed) {
        throw new IOException("the snapshot was given up");
      }
      return images.next();
    } finally {
      lock.readLock().unlock();
    }
  }

  @Override
  public void close() {
    lock.writeLock().lock();
    try {
      if (!closed) {
        closed = true;
        namespace.mutations().saveTo(null);
      }
    } finally {
      lock.writeLock().unlock();
    }
  }
}
