/**
 * The commands, and the composition of a node: the only package that knows all others.
 *
 * <p>Invariant: what is opened here is closed here, in reverse order.
 */
@NullMarked
package io.regionfs.cli;

import org.jspecify.annotations.NullMarked;
