package io.regionfs.fs;

import java.util.Locale;

/** When the pages that the kernel keeps for mappings are brought up to date. */
public enum Coherence {
  /** When the file is opened, and where a lock begins and ends. */
  OPEN,
  /** As OPEN, and soon after the file has changed. */
  NOTIFY,
  /** Only when a program asks: with {@code regionfs refresh} or the attribute. */
  NONE;

  /** What {@code -o coherent=} takes. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * @throws IllegalArgumentException that says what there is
   */
  public static Coherence parse(String text) {
    for (Coherence value : values()) {
      if (value.text().equals(text)) {
        return value;
      }
    }
    throw new IllegalArgumentException(
        "coherent is 'open', 'notify' or 'none', not '" + text + "'");
  }
}
