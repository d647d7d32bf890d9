/**
 * The metadata contract and its client.
 *
 * <p>Invariant: a command whose outcome is unknown is retried under the same request id until it is
 * known.
 */
@NullMarked
package io.regionfs.meta;

import org.jspecify.annotations.NullMarked;
