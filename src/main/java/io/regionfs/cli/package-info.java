/**
 * The commands: what they are called with, what they print, how they end. Processes that serve are
 * put together in {@code daemon}.
 *
 * <p>Invariant: whatever fails ends in one line that says what to do, and an exit code.
 */
@NullMarked
package io.regionfs.cli;

import org.jspecify.annotations.NullMarked;
