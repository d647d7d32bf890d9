package io.regionfs.daemon;

import java.util.Locale;

/** What lent memory is made of. */
public enum HugePageUse {
  /** Of pages; what is dense becomes huge pages in the background, where this process may. */
  AUTO,
  /** Of huge pages only: from the first byte of any, also in a sparse file. */
  ALWAYS,
  /** Of pages only. */
  NEVER;

  /**
   * The policy of a tmpfs of the node's own. Source: tmpfs(5), option huge.
   *
   * @param found the policy of the filesystem that the user chose
   */
  String policy(String found) {
    return switch (this) {
      // With "advise" the kernel makes one only where it is told to.
      case AUTO -> found.equals("never") ? "advise" : found;
      case ALWAYS -> "always";
      case NEVER -> "never";
    };
  }

  String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
