package io.regionfs.verbs.soft;

import com.ibm.disni.verbs.IbvMr;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Registered memory. Whoever copies in or out brackets that with {@link #enter} and {@link #exit},
 * and copies at most {@link #CHUNK_BYTES} without blocking in between: so {@link #revoke} returns
 * soon, and after it nobody touches the memory any more and its owner may unmap it.
 */
final class SoftMemoryRegion extends IbvMr {
  static final int CHUNK_BYTES = 256 << 10;

  private static final int REVOKED = 1 << 31;

  private final SoftProtectionDomain domain;
  private final AtomicInteger users = new AtomicInteger();

  /** Keeps a registered buffer reachable. */
  @SuppressWarnings("UnusedVariable")
  private final @Nullable Object pin;

  SoftMemoryRegion(
      SoftProtectionDomain domain,
      long address,
      int length,
      int access,
      int key,
      @Nullable Object pin)
      throws IOException {
    super(domain.getContext(), address, length, access, key, key, key);
    this.domain = domain;
    this.pin = pin;
  }

  SoftProtectionDomain domain() {
    return domain;
  }

  int key() {
    return rkey;
  }

  boolean allows(int wanted) {
    return (access & wanted) == wanted;
  }

  /** Whether the bytes are all inside. */
  boolean covers(long address, long bytes) {
    long offset = address - addr;
    return offset >= 0 && bytes >= 0 && offset <= length && bytes <= length - offset;
  }

  /** Begins to touch the memory; false if it is no longer registered. */
  boolean enter() {
    if (users.incrementAndGet() > 0) {
      return true;
    }
    users.decrementAndGet();
    return false;
  }

  void exit() {
    users.decrementAndGet();
  }

  boolean isRevoked() {
    return users.get() < 0;
  }

  /** Shuts everybody out, and waits for those who are inside. False if that was done before. */
  boolean revoke() {
    int seen = users.get();
    while (!users.compareAndSet(seen, seen | REVOKED)) {
      seen = users.get();
    }
    for (int i = 0; (users.get() & ~REVOKED) != 0; i++) {
      if (i < 100) {
        Thread.onSpinWait();
      } else {
        LockSupport.parkNanos(20_000);
      }
    }
    return seen >= 0;
  }
}
