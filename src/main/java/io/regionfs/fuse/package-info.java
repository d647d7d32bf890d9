/**
 * The kernel's FUSE protocol in, {@link io.regionfs.fs.FileSystem} calls out.
 *
 * <p>Invariant: every request gets exactly one reply, and an unexpected exception is EIO, never
 * success.
 */
@NullMarked
package io.regionfs.fuse;

import org.jspecify.annotations.NullMarked;
