/**
 * The metadata service: a deterministic namespace behind a replicated log.
 *
 * <p>Invariant: the same commands in the same order give the same tree and the same replies, on
 * every replica.
 */
@NullMarked
package io.regionfs.metaserver;

import org.jspecify.annotations.NullMarked;
