/**
 * The replicated log on an existing Raft engine, SOFAJRaft: the only package that knows it, its
 * transport and its storage.
 *
 * <p>Invariant: a command is in the log of every replica or of none. What was acknowledged is found
 * again, or the replica refuses to start; it never goes on with less.
 */
@NullMarked
package io.regionfs.metaserver.raft;

import org.jspecify.annotations.NullMarked;
