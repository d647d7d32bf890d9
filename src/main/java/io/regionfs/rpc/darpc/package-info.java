/**
 * The RPC seam over DaRPC: protobuf messages in registered buffers, sent with two-sided verbs.
 *
 * <p>Invariant: none of DaRPC's endless waits reaches a caller: a registry of pending calls, owned
 * here, ends each by its reply, its deadline or the loss of its connection.
 */
@NullMarked
package io.regionfs.rpc.darpc;

import org.jspecify.annotations.NullMarked;
