/**
 * The lending side: backing files, allocation, registration, exposures.
 *
 * <p>Invariant: lent bytes never exceed the budget, and memory is registered only while it is
 * allocated.
 */
@NullMarked
package io.regionfs.region;

import org.jspecify.annotations.NullMarked;
