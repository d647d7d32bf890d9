package io.regionfs.fuse;

import io.regionfs.data.TransferBuffer;
import io.regionfs.fs.FileSystem;
import io.regionfs.fuse.RequestLayout.Header;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One thread that takes requests and serves them, until the mount ends or it is surplus. */
final class Worker implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(Worker.class);

  private final WorkerPool pool;
  private final FuseChannel channel;
  private final FileSystem fileSystem;

  Worker(WorkerPool pool, FuseChannel channel, FileSystem fileSystem) {
    this.pool = pool;
    this.channel = channel;
    this.fileSystem = fileSystem;
  }

  @Override
  public void run() {
    Serving serving = pool.joined();
    boolean idle = true;
    boolean told = false;
    try (TransferBuffer buffer = fileSystem.newBuffer(FuseLimits.BUFFER_BYTES);
        Reply reply = new Reply(channel, fileSystem::newBuffer)) {
      Request request = new Request(buffer);
      while (!told) {
        int length = channel.receive(buffer.address(), FuseLimits.BUFFER_BYTES);
        if (length == FuseChannel.END) {
          pool.end();
          return;
        }
        idle = false;
        request.received(length);
        // Marked before another thread can read the INTERRUPT for it.
        serving.begin(length < Header.BYTES ? Serving.NONE : request.unique());
        pool.taken();
        pool.serve(request, reply);
        serving.end();
        told = !pool.served();
        idle = !told;
      }
    } catch (Throwable e) {
      LOG.error("A FUSE thread ended; the others go on", e);
    } finally {
      channel.leave();
      pool.left(serving, told, idle);
    }
  }
}
