package io.regionfs.daemon;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Amounts of memory as people write them: 512M, 4G, 1.5T. Units are powers of 1024. */
public final class Sizes {
  private static final Pattern FORM =
      Pattern.compile("(\\d+(?:\\.\\d+)?)\\s*([KMGTP]?)(?:I?B)?", Pattern.CASE_INSENSITIVE);
  private static final String UNITS = "KMGTP";

  private Sizes() {}

  /**
   * @return bytes, at least 1
   * @throws IllegalArgumentException if it is no size, or none that fits 63 bits
   */
  public static long parse(String text) {
    Matcher matcher = FORM.matcher(text.strip());
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "'" + text + "' is not a size: write bytes, or a number with K, M, G, T or P (512M, 4G)");
    }
    String unit = matcher.group(2).toUpperCase(Locale.ROOT);
    int power = unit.isEmpty() ? 0 : UNITS.indexOf(unit) + 1;
    BigDecimal bytes =
        new BigDecimal(matcher.group(1)).multiply(BigDecimal.valueOf(1L << (10 * power)));
    BigDecimal whole = bytes.setScale(0, RoundingMode.DOWN);
    if (whole.signum() == 0 || whole.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) > 0) {
      throw new IllegalArgumentException("'" + text + "' is not a size between 1 byte and 7P");
    }
    return whole.longValueExact();
  }

  /** Three digits or so, for people: "1.5 GiB". */
  public static String format(long bytes) {
    if (bytes < 1024) {
      return bytes + " B";
    }
    int power = Math.min((63 - Long.numberOfLeadingZeros(bytes)) / 10, UNITS.length());
    double value = bytes / (double) (1L << (10 * power));
    String number = String.format(Locale.ROOT, value < 100 ? "%.1f" : "%.0f", value);
    return number + " " + UNITS.charAt(power - 1) + "iB";
  }
}
