/**
 * The metadata as a state machine, its snapshots and its questions.
 *
 * <p>Invariant: the same commands in the same order give the same state and the same replies on
 * every replica; nothing here reads a clock, draws a random number, or waits.
 */
@NullMarked
package io.regionfs.metaserver.state;

import org.jspecify.annotations.NullMarked;
