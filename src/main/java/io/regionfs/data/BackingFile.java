package io.regionfs.data;

/**
 * The file of tmpfs that holds a region whose home is this host, for the kernel to read, write and
 * map by itself. From when it is given until it is closed, the file's length is the region's size:
 * whoever changes the one changes the other.
 */
public interface BackingFile extends AutoCloseable {
  /** Open for reading and writing; not to be closed by the caller. */
  int descriptor();

  /** Whether anybody has read or mapped it since it was given. False once it is closed. */
  default boolean wasRead() {
    return false;
  }

  /**
   * The kernel uses it no more: what it has changed of size, times and memory is the region's from
   * now on. May be called twice.
   */
  @Override
  void close();
}
