package io.regionfs.data;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How long to wait for the homes of regions.
 *
 * @param attempt the time that one call or transfer has, on top of what its size takes
 * @param giveUpAfter ETIMEDOUT after so long without success; null: wait as long as the home is
 *     said to be alive
 */
public record RemoteOptions(Duration attempt, @Nullable Duration giveUpAfter) {
  /** Slower than any link that is worth using: what a transfer's size adds to its deadline. */
  private static final long BYTES_PER_MILLI = 32 << 10;

  public RemoteOptions {
    if (attempt.isNegative() || attempt.isZero()) {
      throw new IllegalArgumentException("attempt must be positive: " + attempt);
    }
  }

  public static RemoteOptions defaults() {
    return new RemoteOptions(Duration.ofSeconds(2), null);
  }

  /** The deadline of one attempt that moves or clears so many bytes. */
  Duration attemptFor(long bytes) {
    return bytes < BYTES_PER_MILLI ? attempt : attempt.plusMillis(bytes / BYTES_PER_MILLI);
  }
}
