package io.regionfs.model;

/** Kinds of inodes with their bits in st_mode. Source: inode(7). */
public enum FileType {
  FILE(0100000),
  DIRECTORY(0040000),
  SYMLINK(0120000);

  private final int modeBits;

  FileType(int modeBits) {
    this.modeBits = modeBits;
  }

  /** The S_IFMT bits of this type. */
  public int modeBits() {
    return modeBits;
  }
}
