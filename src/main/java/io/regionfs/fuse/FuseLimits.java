package io.regionfs.fuse;

/** Sizes agreed with the kernel at INIT. */
final class FuseLimits {
  /** The most bytes of one READ or WRITE. */
  static final int MAX_TRANSFER_BYTES = 1 << 20;

  /** The same in pages of 4 KiB. */
  static final int MAX_TRANSFER_PAGES = MAX_TRANSFER_BYTES / 4096;

  /** A whole WRITE request with its headers. */
  static final int BUFFER_BYTES = MAX_TRANSFER_BYTES + 4096;

  /** Preferred I/O size told by stat: larger makes stdio of some languages read far too much. */
  static final int PREFERRED_IO_BYTES = 128 * 1024;

  /** Asynchronous requests (read-ahead of mapped files, aio) that the kernel may have with us. */
  static final int MAX_BACKGROUND = 64;

  /** Where it starts to hold them back. */
  static final int CONGESTION_THRESHOLD = 48;

  private FuseLimits() {}
}
