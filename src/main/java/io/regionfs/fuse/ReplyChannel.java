package io.regionfs.fuse;

/** Takes replies to the kernel. */
interface ReplyChannel {
  /**
   * Sends one reply made of {@code count} struct iovec.
   *
   * @return false if the kernel no longer waits for it: whatever the request made is unwanted
   */
  boolean send(long vectors, int count);
}
