package io.regionfs.verbs;

/**
 * Memory known to the device until closed. The memory itself belongs to whoever allocated it and
 * must outlive this.
 */
public interface RegisteredMemory extends AutoCloseable {
  long address();

  long length();

  /** Names the memory in this host's own work requests. */
  int localKey();

  /** Names the memory in work requests of peers. */
  int remoteKey();

  /**
   * Deregisters: from now on a peer's access fails and ends its connection. May be called twice.
   */
  @Override
  void close();
}
