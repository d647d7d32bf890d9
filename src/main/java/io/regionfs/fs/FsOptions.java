package io.regionfs.fs;

/**
 * How a node's file system behaves.
 *
 * @param fabric what carries the bytes and why it was chosen, in one line for people; part of the
 *     value of the attribute {@code regionfs.fabric}
 * @param passThrough the kernel may use the memory of files at home here itself, if it can
 * @param coherence when mappings are brought up to date
 * @param lifetime of files that are made here
 * @param twinBytes most memory for remembering what pages of mappings were, of all files together
 */
public record FsOptions(
    String fabric, boolean passThrough, Coherence coherence, long twinBytes, Lifetime lifetime) {
  private static final long TWIN_BYTES = 256L << 20;

  public FsOptions(String fabric, boolean passThrough) {
    this(fabric, passThrough, Coherence.OPEN, Lifetime.FILE);
  }

  public FsOptions(String fabric, boolean passThrough, Coherence coherence, Lifetime lifetime) {
    this(fabric, passThrough, coherence, TWIN_BYTES, lifetime);
  }
}
