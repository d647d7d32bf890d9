/**
 * The lending side: backing files, allocation, registration, exposures.
 *
 * <p>Invariant: lent bytes never exceed the budget, and memory is registered only while it is
 * allocated. A region's size word is changed in one way at a time: by processors and global
 * atomics, or by the atomics of one device.
 */
@NullMarked
package io.regionfs.region;

import org.jspecify.annotations.NullMarked;
