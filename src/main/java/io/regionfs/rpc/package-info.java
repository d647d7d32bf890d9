/**
 * Requests and replies between processes, with deadlines.
 *
 * <p>Invariant: every call ends, with its reply or with an {@link io.regionfs.rpc.RpcException}
 * that says whether the request may have been carried out.
 */
@NullMarked
package io.regionfs.rpc;

import org.jspecify.annotations.NullMarked;
