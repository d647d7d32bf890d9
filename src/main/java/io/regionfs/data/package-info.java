/**
 * Bytes to and from the homes of regions.
 *
 * <p>Invariant: a read or write returns normally only if it took effect as a whole at the region's
 * home.
 */
@NullMarked
package io.regionfs.data;

import org.jspecify.annotations.NullMarked;
