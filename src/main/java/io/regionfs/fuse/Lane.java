package io.regionfs.fuse;

/**
 * One thread's way to the kernel: it takes a request, has it answered through {@link #reply}, and
 * takes the next. Confined to its thread, which closes it.
 */
interface Lane extends AutoCloseable {
  /**
   * Waits for the next request. The one before has been served.
   *
   * @return false if there will be no more
   */
  boolean receive();

  /** The request is known from now on to whoever asks for what is being served. */
  default void noted() {}

  /** The request that was received, until the next one. */
  Request request();

  /** To answer it with. */
  Reply reply();

  /** Waits until the request has its reply, if another thread is to send that. */
  default void settle() {}

  @Override
  void close();
}
