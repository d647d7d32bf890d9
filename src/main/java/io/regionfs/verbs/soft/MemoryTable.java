package io.regionfs.verbs.soft;

import java.security.SecureRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * The registered memory of a device by key. Keys are random, so that none can be guessed and a
 * stale one names nothing. Look-ups take no lock and make no object; changes are synchronized.
 */
final class MemoryTable {
  /** A link of a bucket's chain; chains are copied, never changed. */
  private record Node(SoftMemoryRegion region, @Nullable Node next) {}

  private final SecureRandom random = new SecureRandom();
  private volatile AtomicReferenceArray<@Nullable Node> buckets = new AtomicReferenceArray<>(1024);
  private volatile int size;
  private final AtomicLong bytes = new AtomicLong();

  /** The memory with this key, or null. */
  @Nullable SoftMemoryRegion find(int key) {
    AtomicReferenceArray<@Nullable Node> table = buckets;
    for (Node n = table.get(key & (table.length() - 1)); n != null; n = n.next) {
      if (n.region.key() == key) {
        return n.region;
      }
    }
    return null;
  }

  /** A key that is not in use; the caller holds this object's monitor until it has added it. */
  int freeKey() {
    int key = random.nextInt();
    while (key == 0 || find(key) != null) {
      key = random.nextInt();
    }
    return key;
  }

  synchronized void add(SoftMemoryRegion region) {
    if (size > 2 * buckets.length()) {
      grow();
    }
    AtomicReferenceArray<@Nullable Node> table = buckets;
    int bucket = region.key() & (table.length() - 1);
    table.set(bucket, new Node(region, table.get(bucket)));
    size++;
    bytes.addAndGet(region.getLength());
  }

  private void grow() {
    AtomicReferenceArray<@Nullable Node> old = buckets;
    AtomicReferenceArray<@Nullable Node> wider = new AtomicReferenceArray<>(old.length() * 4);
    for (int i = 0; i < old.length(); i++) {
      for (Node n = old.get(i); n != null; n = n.next) {
        int bucket = n.region.key() & (wider.length() - 1);
        wider.set(bucket, new Node(n.region, wider.get(bucket)));
      }
    }
    buckets = wider;
  }

  synchronized void remove(SoftMemoryRegion region) {
    AtomicReferenceArray<@Nullable Node> table = buckets;
    int bucket = region.key() & (table.length() - 1);
    Node kept = null;
    for (Node n = table.get(bucket); n != null; n = n.next) {
      if (n.region == region) {
        size--;
        bytes.addAndGet(-region.getLength());
      } else {
        kept = new Node(n.region, kept);
      }
    }
    table.set(bucket, kept);
  }

  int size() {
    return size;
  }

  long bytes() {
    return bytes.get();
  }
}
