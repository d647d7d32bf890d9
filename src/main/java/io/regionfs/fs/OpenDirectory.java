package io.regionfs.fs;

import io.regionfs.model.FileType;
import io.regionfs.model.InodeId;

/** A directory being listed. */
public interface OpenDirectory extends AutoCloseable {
  /**
   * Offers the entries after the cookie (0: all), "." and ".." first, until the receiver has had
   * enough or the directory ends. Entries that exist throughout are offered exactly once, whatever
   * changes meanwhile.
   */
  void list(long afterCookie, Receiver receiver);

  @Override
  void close();

  /** Takes directory entries. */
  @FunctionalInterface
  interface Receiver {
    /**
     * @param cookie to continue after this entry
     * @return false if there is no room: the entry was not taken
     */
    boolean entry(byte[] name, InodeId inode, FileType type, long cookie);
  }
}
