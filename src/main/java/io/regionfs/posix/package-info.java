/**
 * System calls and raw memory: libc through jnr-ffi, loads and stores at addresses.
 *
 * <p>Invariant: nothing here keeps state; an address or descriptor belongs to the caller that got
 * it.
 */
@NullMarked
package io.regionfs.posix;

import org.jspecify.annotations.NullMarked;
