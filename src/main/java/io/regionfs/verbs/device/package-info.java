/**
 * The RDMA devices of this host as the kernel's files show them, and what a process needs to use
 * one. Cheap, and without a native library: it can be asked before anything is committed to.
 *
 * <p>Invariant: every refusal says in one line what is wrong and what to do.
 */
@NullMarked
package io.regionfs.verbs.device;

import org.jspecify.annotations.NullMarked;
