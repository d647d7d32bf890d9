/**
 * POSIX semantics over metadata and data: open files, sizes, times, append.
 *
 * <p>Invariant: the only failure that leaves this package is {@link io.regionfs.model.FsException}.
 */
@NullMarked
package io.regionfs.fs;

import org.jspecify.annotations.NullMarked;
