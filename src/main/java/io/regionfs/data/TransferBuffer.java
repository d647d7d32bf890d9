package io.regionfs.data;

/**
 * Memory that both system calls and transfers can use: mapped, page-aligned, registered as the
 * local end.
 */
public interface TransferBuffer extends AutoCloseable {
  long address();

  int capacity();

  @Override
  void close();
}
