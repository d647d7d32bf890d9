package io.regionfs.verbs;

/** What a peer that knows the key may do with registered memory. */
public enum Access {
  /** Nothing: it only serves as the local end of transfers. */
  LOCAL,
  REMOTE_READ,
  /** Read, write and atomics. */
  REMOTE_WRITE
}
