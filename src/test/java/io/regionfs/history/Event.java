package io.regionfs.history;

import org.jspecify.annotations.Nullable;

/**
 * One operation of a history on one object.
 *
 * @param start when it was called, by a clock that all callers share
 * @param end when it returned; {@link #NEVER} if that is not known: it may have had its effect at
 *     any time since, or never
 * @param step the object's state after it, or null if its result cannot be in that state
 * @param text for people
 */
public record Event<S>(long start, long end, Step<S> step, String text) {
  public static final long NEVER = Long.MAX_VALUE;

  /** The effect of an operation together with its result. */
  @FunctionalInterface
  public interface Step<S> {
    @Nullable S after(S before);
  }

  boolean isPending() {
    return end == NEVER;
  }
}
