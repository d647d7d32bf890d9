/**
 * The one implementation of the fabric, on DiSNI's verbs; it cannot tell a software device from a
 * NIC.
 *
 * <p>Invariant: DiSNI's types stay inside; every completion reaches the batch that posted it, or
 * the connection ends and all its batches fail.
 */
@NullMarked
package io.regionfs.verbs.disni;

import org.jspecify.annotations.NullMarked;
