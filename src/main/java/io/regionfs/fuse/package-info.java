/**
 * The kernel's FUSE protocol in, {@link io.regionfs.fs.FileSystem} calls out. libfuse 2, bound by
 * jnr-fuse, mounts ({@code FuseSession}); our own threads ({@code WorkerPool}) read every request
 * from /dev/fuse and serve it by inode number ({@code Dispatcher} and its handlers).
 *
 * <p>Invariant: every request gets exactly one reply, and an unexpected exception is EIO, never
 * success.
 */
@NullMarked
package io.regionfs.fuse;

import org.jspecify.annotations.NullMarked;
