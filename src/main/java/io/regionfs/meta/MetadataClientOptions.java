package io.regionfs.meta;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How a client waits.
 *
 * @param attempt how long one attempt may take before it is repeated
 * @param giveUpAfter how long a call waits for the service altogether; null: for ever
 */
public record MetadataClientOptions(Duration attempt, @Nullable Duration giveUpAfter) {
  public static final MetadataClientOptions PATIENT =
      new MetadataClientOptions(Duration.ofSeconds(5), null);

  public MetadataClientOptions {
    if (attempt.isNegative() || attempt.isZero()) {
      throw new IllegalArgumentException("attempt must be longer than nothing: " + attempt);
    }
    if (giveUpAfter != null && giveUpAfter.isNegative()) {
      throw new IllegalArgumentException("giveUpAfter must not be negative: " + giveUpAfter);
    }
  }
}
