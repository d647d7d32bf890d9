package io.regionfs.fs;

import io.regionfs.data.TransferBuffer;
import io.regionfs.model.AttributeChange;
import io.regionfs.model.AttributeChange.TimeChange;
import io.regionfs.model.Attributes;
import io.regionfs.model.Caller;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.model.Name;
import io.regionfs.posix.Memory;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A file system with strings for bytes and names in the root directory, for tests. */
final class Files {
  static final int O_RDONLY = 0;
  static final int O_WRONLY = OpenFlags.O_WRONLY;
  static final int O_RDWR = OpenFlags.O_RDWR;
  static final int O_TRUNC = OpenFlags.O_TRUNC;
  static final Caller CALLER = new Caller(1000, 100, 42);

  final FileSystem fs;

  Files(FileSystem fs) {
    this.fs = fs;
  }

  /** An empty file that is open for reading and writing. */
  FileSystem.Created create(String name) {
    return fs.create(InodeId.ROOT, Name.of(name), 0644, O_RDWR, CALLER);
  }

  InodeId make(String name, String content) {
    FileSystem.Created created = create(name);
    try (OpenFile file = created.file()) {
      write(file, 0, content);
    }
    return created.attributes().inode();
  }

  OpenFile open(InodeId inode, int flags) {
    return fs.open(inode, flags, CALLER);
  }

  Attributes lookup(String name) {
    return fs.lookup(InodeId.ROOT, Name.of(name));
  }

  void unlink(String name) {
    fs.unlink(InodeId.ROOT, Name.of(name));
  }

  long size(InodeId inode) {
    return fs.attributes(inode).size();
  }

  void write(OpenFile file, long offset, String text) {
    send(file, offset, text, false);
  }

  void append(OpenFile file, String text) {
    send(file, 0, text, true);
  }

  private void send(OpenFile file, long offset, String text, boolean append) {
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    try (TransferBuffer buffer = fs.newBuffer(bytes.length + 8)) {
      Memory.put(buffer.address() + 8, bytes, 0, bytes.length);
      file.write(offset, buffer, 8, bytes.length, append);
    }
  }

  String read(OpenFile file, long offset, int length) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (TransferBuffer buffer = fs.newBuffer(Math.max(1, length))) {
      file.read(
          offset,
          length,
          buffer,
          (address, count) -> {
            byte[] bytes = new byte[count];
            Memory.get(address, bytes, 0, count);
            out.writeBytes(bytes);
          });
    }
    return out.toString(StandardCharsets.ISO_8859_1);
  }

  String content(InodeId inode) {
    try (OpenFile file = open(inode, O_RDONLY)) {
      return read(file, 0, 1 << 20);
    }
  }

  /** All names of a directory, asked for {@code perCall} entries at a time. */
  static List<String> list(OpenDirectory directory, int perCall) {
    List<String> names = new ArrayList<>();
    long[] cookie = {0};
    int before;
    do {
      before = names.size();
      int limit = before + perCall;
      directory.list(
          cookie[0],
          (name, inode, type, next) -> {
            if (names.size() == limit) {
              return false;
            }
            names.add(new String(name, StandardCharsets.UTF_8));
            cookie[0] = next;
            return true;
          });
    } while (names.size() > before);
    return names;
  }

  /** The error of an operation; empty if it succeeds. */
  static Optional<Errno> refusal(Runnable operation) {
    try {
      operation.run();
      return Optional.empty();
    } catch (FsException e) {
      return Optional.of(e.errno());
    }
  }

  static AttributeChange size(long size) {
    return new AttributeChange(null, null, null, size, null, null);
  }

  static AttributeChange mode(int mode) {
    return new AttributeChange(mode, null, null, null, null, null);
  }

  static AttributeChange mtime(@Nullable Instant time) {
    return new AttributeChange(null, null, null, null, null, new TimeChange(time));
  }
}
