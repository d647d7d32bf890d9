package io.regionfs.data;

/** Takes the bytes of one read. */
@FunctionalInterface
public interface ReadSink {
  /**
   * Called exactly once per read that succeeds, with memory that is valid only during the call: the
   * transfer buffer, or the region's own memory when it is here. Length 0 is the end of the file.
   */
  void accept(long address, int length);
}
