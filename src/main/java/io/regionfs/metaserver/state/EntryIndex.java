package io.regionfs.metaserver.state;

import com.google.protobuf.ByteString;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The entries of a directory by name: extendible hashing, so that growing never moves more than one
 * bucket. Source: Fagin, Nievergelt, Pippenger, Strong 1979.
 */
final class EntryIndex {
  private static final int FIRST_SIZE = 8;
  private static final int FULL = 32;

  /** By the lowest bits of the hash; a bucket stands here as often as it ignores bits of them. */
  private Bucket[] table = {new Bucket(0)};

  private int size;

  private static final class Bucket {
    /** How many of the lowest bits of the hash its entries have in common. */
    private int depth;

    private int[] hashes = new int[FIRST_SIZE];
    private Entry[] entries = new Entry[FIRST_SIZE];
    private int count;

    private Bucket(int depth) {
      this.depth = depth;
    }

    private void add(int hash, Entry entry) {
      if (count == hashes.length) {
        hashes = Arrays.copyOf(hashes, 2 * count);
        entries = Arrays.copyOf(entries, 2 * count);
      }
      hashes[count] = hash;
      entries[count++] = entry;
    }

    private void remove(Entry entry) {
      for (int i = 0; i < count; i++) {
        if (entries[i] == entry) {
          count--;
          hashes[i] = hashes[count];
          entries[i] = entries[count];
          entries[count] = null;
          return;
        }
      }
    }
  }

  private int slot(int hash) {
    return hash & (table.length - 1);
  }

  @Nullable Entry find(ByteString name) {
    int hash = Entry.hash(name);
    Bucket bucket = table[slot(hash)];
    for (int i = 0; i < bucket.count; i++) {
      if (bucket.hashes[i] == hash && bucket.entries[i].isNamed(name)) {
        return bucket.entries[i];
      }
    }
    return null;
  }

  /** Its name must be free. */
  void add(Entry entry) {
    int hash = Entry.hash(entry.name());
    Bucket bucket = table[slot(hash)];
    while (bucket.count >= FULL && maySplit(bucket)) {
      split(bucket, hash);
      bucket = table[slot(hash)];
    }
    bucket.add(hash, entry);
    size++;
  }

  /** Names made to have the same hash must not make the table grow. */
  private boolean maySplit(Bucket bucket) {
    return bucket.depth < Integer.SIZE - 2 && (1 << bucket.depth) <= size;
  }

  private void split(Bucket bucket, int hash) {
    int bit = 1 << bucket.depth;
    if (bit == table.length) {
      table = Arrays.copyOf(table, 2 * bit);
      System.arraycopy(table, 0, table, bit, bit);
    }
    Bucket zeros = new Bucket(bucket.depth + 1);
    Bucket ones = new Bucket(bucket.depth + 1);
    for (int i = 0; i < bucket.count; i++) {
      Bucket half = (bucket.hashes[i] & bit) == 0 ? zeros : ones;
      half.add(bucket.hashes[i], bucket.entries[i]);
    }
    for (int i = hash & (bit - 1); i < table.length; i += bit) {
      table[i] = (i & bit) == 0 ? zeros : ones;
    }
  }

  /** It must be there. */
  void remove(Entry entry) {
    table[slot(Entry.hash(entry.name()))].remove(entry);
    size--;
  }
}
