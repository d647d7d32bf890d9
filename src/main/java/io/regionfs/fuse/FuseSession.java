package io.regionfs.fuse;

import io.regionfs.data.TransferBuffer;
import io.regionfs.posix.LibC;
import io.regionfs.posix.Memory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;
import jnr.ffi.Struct;
import org.jspecify.annotations.Nullable;
import ru.serce.jnrfuse.struct.FuseOperations;

/**
 * One mount made by libfuse 2. libfuse mounts (by itself as root, through fusermount otherwise) and
 * answers INIT, whose reply passes {@link #send}, where it is replaced: libfuse 2 knows neither
 * requests of 1 MiB nor shared mappings of direct_io files. It sees no other request.
 *
 * <p>Opened, used and closed by one thread.
 */
final class FuseSession implements AutoCloseable {
  private static final int SEND_IN_CHANNEL_OPERATIONS = 8;
  private static final int FUSE_BUF_BYTES = 40;
  private static final int FUSE_BUF_MEMORY = 16;
  private static final int FUSE_BUF_FD = 24;
  private static final int HANDSHAKE_BYTES = 64 * 1024;
  private static final int EIO = 5;

  private final LibFuse2 library;
  private final long fuse;
  private final long session;
  private final int fd;

  /** libfuse calls this for as long as the process lives: it must stay reachable. */
  private final LibFuse2.Send send = this::send;

  private final Request request;
  private final Reply reply;
  private final NativeBuffer buffer = new NativeBuffer(HANDSHAKE_BYTES);
  private @Nullable InitReply offer;
  private boolean agreed;
  private boolean closed;

  private FuseSession(LibFuse2 library, long fuse) {
    this.library = library;
    this.fuse = fuse;
    this.session = library.fuse_get_session(fuse);
    this.fd = library.fuse_chan_fd(library.fuse_session_next_chan(session, 0));
    this.request = new Request(buffer);
    this.reply = new Reply(channel(), NativeBuffer::new);
  }

  /** Mounts. IOException with what to do about it if that fails. */
  static FuseSession mount(Path mountPoint, FuseOptions options) throws IOException {
    LibFuse2 library;
    try {
      library = LibFuse2.load();
    } catch (UnsatisfiedLinkError e) {
      throw new IOException("libfuse2 is missing: apt-get install libfuse2 fuse3", e);
    }
    FuseOperations operations = new FuseOperations(Runtime.getSystemRuntime());
    Pointer operationsMemory = Struct.getMemory(operations);
    String[] arguments = arguments(mountPoint, options);
    long results = Memory.allocate(16);
    try {
      long fuse =
          library.fuse_setup(
              arguments.length,
              arguments,
              operationsMemory,
              Struct.size(operations),
              results,
              results + 8,
              0);
      if (fuse == 0) {
        throw new IOException(
            "cannot mount on " + mountPoint + ": libfuse refused (its reason is on stderr)");
      }
      return new FuseSession(library, fuse);
    } finally {
      Memory.free(results);
    }
  }

  private static String[] arguments(Path mountPoint, FuseOptions options) {
    List<String> mountOptions = new ArrayList<>();
    mountOptions.add("fsname=regionfs");
    mountOptions.add("subtype=regionfs");
    mountOptions.add("default_permissions");
    mountOptions.add("max_read=" + FuseLimits.MAX_TRANSFER_BYTES);
    if (options.allowOther()) {
      mountOptions.add("allow_other");
    }
    if (options.nonEmpty()) {
      mountOptions.add("nonempty");
    }
    mountOptions.addAll(options.mountOptions());
    return new String[] {
      "regionfs", "-f", "-o", String.join(",", mountOptions), mountPoint.toString()
    };
  }

  /** Of /dev/fuse; closed with this. */
  int descriptor() {
    return fd;
  }

  /** The requests that follow INIT; usable until this is closed. */
  FuseChannel channel() {
    return new DeviceChannel(fd);
  }

  /**
   * Waits for the kernel's INIT and has libfuse answer it.
   *
   * @param wanted replaces libfuse's answer
   */
  void handshake(InitReply wanted) throws IOException {
    offer = wanted;
    int length = channel().receive(buffer.address(), HANDSHAKE_BYTES);
    if (length < RequestLayout.Header.BYTES) {
      throw new IOException("unmounted before it was used");
    }
    request.received(length);
    reply.begin(request.unique());
    Pointer sendPointer =
        LibC.RUNTIME.getClosureManager().getClosurePointer(LibFuse2.Send.class, send);
    long memory = Memory.allocate(24 + FUSE_BUF_BYTES);
    try {
      Memory.fill(memory, 24 + FUSE_BUF_BYTES, (byte) 0);
      Memory.putLong(memory + SEND_IN_CHANNEL_OPERATIONS, sendPointer.address());
      long fuseBuf = memory + 24;
      Memory.putLong(fuseBuf, length);
      Memory.putLong(fuseBuf + FUSE_BUF_MEMORY, buffer.address());
      Memory.putInt(fuseBuf + FUSE_BUF_FD, -1);
      long ours = library.fuse_chan_new(memory, fd, FuseLimits.BUFFER_BYTES, 0);
      library.fuse_session_process_buf(session, fuseBuf, ours);
      library.fuse_chan_destroy(ours);
    } finally {
      Memory.free(memory);
    }
    if (!agreed) {
      throw new IOException("the kernel and libfuse do not agree on a FUSE protocol");
    }
  }

  /** libfuse's answer to INIT, as an upcall: nothing may be thrown from here. */
  private int send(long channel, long vectors, long count) {
    try {
      if (vectors == 0) {
        return 0; // what libfuse does with requests that want no reply
      }
      int error = Memory.getInt(Memory.getLong(vectors) + ReplyLayout.Header.ERROR);
      InitReply wanted = offer;
      if (error == 0 && request.opcode() == Opcode.INIT && wanted != null) {
        agreed = wanted.send(request, reply);
        return agreed ? 0 : -EIO;
      }
      return channel().send(vectors, (int) count) ? 0 : -EIO;
    } catch (RuntimeException e) {
      return -EIO; // handshake() reports that nothing was agreed
    }
  }

  /** Closes /dev/fuse, which aborts a connection that is still there; unmounts nothing. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      library.fuse_remove_signal_handlers(session);
      library.fuse_destroy(fuse);
      reply.close();
      buffer.close();
    }
  }

  /** A buffer from the C heap. */
  private static final class NativeBuffer implements TransferBuffer {
    private final long address;
    private final int capacity;

    NativeBuffer(int capacity) {
      this.address = Memory.allocate(capacity);
      this.capacity = capacity;
    }

    @Override
    public long address() {
      return address;
    }

    @Override
    public int capacity() {
      return capacity;
    }

    @Override
    public void close() {
      Memory.free(address);
    }
  }
}
