/**
 * Recorded histories of operations and what must hold for them.
 *
 * <p>Invariant: a verdict says which operations it is about, so that a failure can be read.
 */
@NullMarked
package io.regionfs.history;

import org.jspecify.annotations.NullMarked;
