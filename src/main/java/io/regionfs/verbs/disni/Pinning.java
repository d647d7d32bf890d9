package io.regionfs.verbs.disni;

/** Whether memory that is lent to peers stays in memory. */
public enum Pinning {
  /** The device takes page faults where it can: nothing is locked. Elsewhere as {@link #ALWAYS}. */
  ON_DEMAND,
  /** Registered memory is locked: no access ever waits for a page. */
  ALWAYS
}
