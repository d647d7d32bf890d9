/**
 * The examination of a machine: what RegionFS needs from it, and what to do about what is missing.
 *
 * <p>Invariant: nothing is changed, and every finding that is not good names its cure.
 */
@NullMarked
package io.regionfs.cli.doctor;

import org.jspecify.annotations.NullMarked;
