package io.regionfs.fs;

import java.util.Locale;

/** How long a file lives. */
public enum Lifetime {
  /** Until its last name and its last open are gone. */
  FILE,
  /** As long as the process of its home that exports it. */
  OWNER;

  /** What {@code --lifetime} and the attribute {@code regionfs.lifetime} say. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * @throws IllegalArgumentException that says what there is
   */
  public static Lifetime parse(String text) {
    for (Lifetime value : values()) {
      if (value.text().equals(text)) {
        return value;
      }
    }
    throw new IllegalArgumentException("lifetime is 'file' or 'owner', not '" + text + "'");
  }
}
