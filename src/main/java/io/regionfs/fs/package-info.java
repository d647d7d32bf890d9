/**
 * POSIX semantics over metadata and data: open files, sizes, times, append.
 *
 * <p>Invariants: the only failure that leaves this package is {@link
 * io.regionfs.model.FsException}. The metadata service counts an inode as open by this node from
 * before the first local open returns until after the last local close; {@link
 * io.regionfs.fs.OpenInode} keeps that.
 *
 * <p>Locks: one per open inode, held across the calls that open, close and attach that inode and
 * across nothing else; no thread holds two of them, and no read or write takes one once the inode's
 * region is attached.
 */
@NullMarked
package io.regionfs.fs;

import org.jspecify.annotations.NullMarked;
