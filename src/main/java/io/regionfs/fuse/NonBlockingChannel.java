package io.regionfs.fuse;

/** The open /dev/fuse of one mount that never blocks: how a thread waits is a matter of its own. */
abstract class NonBlockingChannel implements FuseChannel {
  protected final DeviceChannel device;

  /**
   * @param fd will not block any more
   */
  protected NonBlockingChannel(int fd) {
    device = new DeviceChannel(fd);
    device.doNotBlock();
  }

  @Override
  public final boolean send(long vectors, int count) {
    return device.send(vectors, count);
  }

  @Override
  public final int tell(long address, int bytes) {
    return device.tell(address, bytes);
  }

  @Override
  public final int openBacking(int file) {
    return device.openBacking(file);
  }

  @Override
  public final void closeBacking(int id) {
    device.closeBacking(id);
  }
}
