package io.regionfs.history;

/**
 * What one name of a directory shows.
 *
 * @param inode 0: the name does not exist
 * @param mode permission bits; 0 if it does not exist
 */
record NameState(long inode, int mode) {
  static final NameState ABSENT = new NameState(0, 0);

  boolean exists() {
    return inode != 0;
  }
}
