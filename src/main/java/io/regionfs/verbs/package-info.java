/**
 * The fabric: registered memory, connections, one-sided reads, writes and atomics.
 *
 * <p>Invariant: a transfer that returns normally has moved every byte; memory stays registered
 * until its owner closes it.
 */
@NullMarked
package io.regionfs.verbs;

import org.jspecify.annotations.NullMarked;
