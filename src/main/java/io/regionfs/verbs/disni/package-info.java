/**
 * The one implementation of the fabric, on DiSNI's verbs, for RDMA devices and the software device
 * alike; below {@code SendQueue} and {@code CompletionQueue} they differ, and in what their limits
 * say.
 *
 * <p>Invariant: DiSNI's types stay inside; every completion reaches the batch that posted it, or
 * the connection ends and all its batches fail.
 */
@NullMarked
package io.regionfs.verbs.disni;

import org.jspecify.annotations.NullMarked;
