/**
 * The RPC seam inside one process, for a node that embeds the metadata service and for tests.
 *
 * <p>Invariant: messages cross as immutable protobuf values, so the two sides share no state.
 */
@NullMarked
package io.regionfs.rpc.local;

import org.jspecify.annotations.NullMarked;
