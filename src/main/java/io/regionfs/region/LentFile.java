package io.regionfs.region;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.data.BackingFile;

/** What the kernel is given of a region: the open file, until it is closed. Safe for any thread. */
final class LentFile implements BackingFile {
  private final LentRegion region;
  private final DirectMode mode;

  @GuardedBy("this")
  private boolean closed;

  LentFile(LentRegion region, DirectMode mode) {
    this.region = region;
    this.mode = mode;
  }

  @Override
  public int descriptor() {
    return mode.descriptor();
  }

  @Override
  public synchronized boolean wasRead() {
    return !closed && mode.wasRead();
  }

  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      region.endPassThrough(mode);
    } finally {
      mode.closeFile();
    }
  }
}
