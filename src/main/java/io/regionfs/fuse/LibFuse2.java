package io.regionfs.fuse;

import jnr.ffi.LibraryLoader;
import jnr.ffi.Pointer;
import jnr.ffi.annotations.Delegate;

/**
 * The part of libfuse 2.9 that jnr-fuse does not bind: its sessions and channels. Addresses are
 * long. Public only because jnr-ffi implements it from another class loader. Source: fuse.h,
 * fuse_lowlevel.h and fuse_common.h of libfuse 2.9.9.
 */
public interface LibFuse2 {
  /**
   * Mounts and makes a session; complains on stderr. fuse_new is no alternative: without a symbol
   * version dlsym finds its ancient form.
   *
   * @param mountPoint where to put a char*, the mount point
   * @param multithreaded where to put an int
   * @return struct fuse*, or 0
   */
  long fuse_setup(
      int count,
      String[] arguments,
      Pointer operations,
      long operationsBytes,
      long mountPoint,
      long multithreaded,
      long user);

  long fuse_get_session(long fuse);

  /** Undoes what fuse_setup did to signal handlers that nobody had set. */
  void fuse_remove_signal_handlers(long session);

  long fuse_session_next_chan(long session, long channel);

  int fuse_chan_fd(long channel);

  /**
   * A channel whose I/O is ours.
   *
   * @param operations struct fuse_chan_ops: receive, send, destroy
   */
  long fuse_chan_new(long operations, int fd, long bufferBytes, long data);

  void fuse_chan_destroy(long channel);

  /**
   * Handles one request.
   *
   * @param buffer struct fuse_buf
   */
  void fuse_session_process_buf(long session, long buffer, long channel);

  /** Frees the session and closes its /dev/fuse; unmounts nothing. */
  void fuse_destroy(long fuse);

  /** UnsatisfiedLinkError if the library is not installed. */
  static LibFuse2 load() {
    return LibraryLoader.create(LibFuse2.class).failImmediately().load("libfuse.so.2");
  }

  /** The send of struct fuse_chan_ops: one reply made of struct iovec; 0 or -errno. */
  interface Send {
    @Delegate
    int send(long channel, long vectors, long count);
  }
}
