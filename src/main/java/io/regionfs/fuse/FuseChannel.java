package io.regionfs.fuse;

/** The connection to the kernel: whole requests come in, whole replies go out. */
interface FuseChannel extends ReplyChannel, AutoCloseable {
  /** What {@link #receive} returns when there will be no more requests: unmounted or aborted. */
  int END = -1;

  /**
   * Waits for a request and puts it at the address.
   *
   * @return its length in bytes, or {@link #END}
   */
  int receive(long address, int capacity);

  /** The calling thread's request is known from now on to whoever asks for what is being served. */
  default void noted() {}

  /** Whether the next request is received only when the one before was {@link #noted}. */
  default boolean takesTurns() {
    return false;
  }

  /** The calling thread will not receive any more. */
  default void leave() {}

  /**
   * Sends a message that no request asked for.
   *
   * @return 0, or the errno of the kernel's refusal
   */
  int tell(long address, int bytes);

  /**
   * Gives the kernel a file to read, write and map itself.
   *
   * @return its id, positive, or the negative errno of the kernel's refusal
   */
  int openBacking(int fd);

  /** The kernel lets go of it once no open file uses it any more. */
  void closeBacking(int id);

  /** To be called when no thread uses it any more. */
  @Override
  default void close() {}
}
