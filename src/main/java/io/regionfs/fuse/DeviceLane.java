package io.regionfs.fuse;

import io.regionfs.data.TransferBuffer;
import io.regionfs.fs.FileSystem;

/** Whole requests, read into a buffer of the thread's own, and replies written. */
final class DeviceLane implements Lane {
  private final FuseChannel channel;
  private final TransferBuffer buffer;
  private final Request request;
  private final Reply reply;

  @SuppressWarnings("MustBeClosedChecker") // closed with this lane
  DeviceLane(FuseChannel channel, FileSystem fileSystem) {
    this.channel = channel;
    this.buffer = fileSystem.newBuffer(FuseLimits.BUFFER_BYTES);
    this.request = new Request(buffer);
    this.reply = new Reply(channel, fileSystem::newBuffer);
  }

  @Override
  public boolean receive() {
    int length = channel.receive(buffer.address(), FuseLimits.BUFFER_BYTES);
    if (length == FuseChannel.END) {
      return false;
    }
    request.received(length);
    return true;
  }

  @Override
  public void noted() {
    channel.noted();
  }

  @Override
  public Request request() {
    return request;
  }

  @Override
  public Reply reply() {
    return reply;
  }

  @Override
  public void close() {
    channel.leave();
    reply.close();
    buffer.close();
  }
}
