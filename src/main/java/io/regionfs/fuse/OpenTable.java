package io.regionfs.fuse;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is open, by the handle the kernel has for it. A handle is never given twice: its low half is
 * the slot, its high half counts. Looking up takes no lock and makes no object.
 */
final class OpenTable<T> {
  private record Entry<T>(long handle, T value) {}

  /** Written under the lock, a whole new array whenever it grows; slots are replaced in place. */
  private volatile @Nullable Entry<T>[] slots = newSlots(64);

  @GuardedBy("this")
  private int used;

  @GuardedBy("this")
  private long count;

  @GuardedBy("this")
  private int[] free = new int[64];

  @GuardedBy("this")
  private int freeCount;

  @SuppressWarnings({"unchecked", "rawtypes"}) // arrays cannot be generic
  private static <T> @Nullable Entry<T>[] newSlots(int length) {
    return (Entry<T>[]) new Entry[length];
  }

  synchronized long add(T value) {
    @Nullable Entry<T>[] current = slots;
    int slot;
    if (freeCount > 0) {
      slot = free[--freeCount];
    } else {
      slot = used++;
      if (slot == current.length) {
        current = Arrays.copyOf(current, 2 * slot);
      }
    }
    long handle = ++count << 32 | slot;
    current[slot] = new Entry<>(handle, value);
    slots = current; // publishes the slot too
    return handle;
  }

  /** EBADF if nothing is open under this handle. */
  T get(long handle) {
    Entry<T> entry = find(handle);
    if (entry == null) {
      throw new FsException(Errno.EBADF, "no such handle: " + handle);
    }
    return entry.value;
  }

  /** Takes it out of the table; EBADF as for {@link #get}. */
  synchronized T remove(long handle) {
    T value = get(handle);
    int slot = (int) handle;
    @Nullable Entry<T>[] current = slots;
    current[slot] = null;
    slots = current;
    if (freeCount == free.length) {
      free = Arrays.copyOf(free, 2 * freeCount);
    }
    free[freeCount++] = slot;
    return value;
  }

  /** Takes everything out. */
  synchronized List<T> removeAll() {
    List<T> all = new ArrayList<>();
    for (Entry<T> entry : slots) {
      if (entry != null) {
        all.add(entry.value);
      }
    }
    slots = newSlots(64);
    used = 0;
    freeCount = 0;
    return all;
  }

  private @Nullable Entry<T> find(long handle) {
    @Nullable Entry<T>[] current = slots;
    int slot = (int) handle;
    if (slot < 0 || slot >= current.length) {
      return null;
    }
    Entry<T> entry = current[slot];
    return entry != null && entry.handle == handle ? entry : null;
  }
}
