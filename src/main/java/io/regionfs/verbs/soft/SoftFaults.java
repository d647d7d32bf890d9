package io.regionfs.verbs.soft;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Failures of the network, for tests: applies to every connection of the device it was given to,
 * those that exist and those to come. Safe for use by any thread.
 */
public final class SoftFaults {
  private final Set<Link> links = ConcurrentHashMap.newKeySet();
  private volatile boolean refusing;
  private volatile boolean blackhole;
  private volatile long delayNanos;
  private final AtomicLong bytesUntilCut = new AtomicLong(Long.MAX_VALUE);

  void add(Link link) {
    links.add(link);
  }

  void remove(Link link) {
    links.remove(link);
  }

  boolean refusing() {
    return refusing;
  }

  boolean blackhole() {
    return blackhole;
  }

  long delayNanos() {
    return delayNanos;
  }

  /** Counts bytes that are about to be sent; true if the link breaks now. */
  boolean cutsAfter(long bytes) {
    if (bytesUntilCut.get() == Long.MAX_VALUE) {
      return false;
    }
    if (bytesUntilCut.addAndGet(-bytes) > 0) {
      return false;
    }
    bytesUntilCut.set(Long.MAX_VALUE);
    return true;
  }

  /** While true, listeners hang up on whoever connects. */
  public void refuse(boolean on) {
    refusing = on;
  }

  /** While true, nothing is sent or received on any connection; what was sent arrives later. */
  public void drop(boolean on) {
    blackhole = on;
    links.forEach(Link::faultsChanged);
  }

  /** Holds back whatever arrives for this long; zero ends that. */
  public void delay(Duration time) {
    delayNanos = time.toNanos();
  }

  /** Breaks every connection now, in the middle of whatever it was doing. */
  public void cut() {
    links.forEach(Link::cut);
  }

  /** Breaks the connection that sends the last of so many bytes from now on. */
  public void cutAfter(long bytes) {
    bytesUntilCut.set(bytes);
  }
}
