/**
 * A software RDMA device beneath the unmodified DiSNI jar.
 *
 * <p>Invariant: it lets through only what a NIC would let through, checked by the side that owns
 * the memory; bytes from the network can end a connection, never the process.
 */
@NullMarked
package io.regionfs.verbs.soft;

import org.jspecify.annotations.NullMarked;
