/**
 * Values that every layer speaks: ids, names, attributes, {@link io.regionfs.model.Errno} and
 * {@link io.regionfs.model.FsException}.
 *
 * <p>Invariant: everything here is immutable and knows no other package.
 */
@NullMarked
package io.regionfs.model;

import org.jspecify.annotations.NullMarked;
