package io.regionfs.region;

import io.regionfs.model.RegionStat;
import io.regionfs.verbs.Atomics;
import java.time.Instant;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;

/** What is done with a region's slot alone, under the region's lock, while the region lives. */
final class LentSlot {
  private final RegionSlot slot;
  private final RegionLock lock;
  private final Host host;
  private final InstantSource clock;

  /** While the kernel uses the file itself. Changes under the exclusive lock. */
  private volatile @Nullable DirectMode direct;

  LentSlot(RegionSlot slot, RegionLock lock, Host host, InstantSource clock) {
    this.slot = slot;
    this.lock = lock;
    this.host = host;
    this.clock = clock;
  }

  /** Null unless the kernel uses the file itself; by a holder of the lock. */
  @Nullable DirectMode direct() {
    return direct;
  }

  /** Exclusive lock. */
  void direct(@Nullable DirectMode mode) {
    direct = mode;
  }

  RegionStat stat() {
    lock.sharedForSlot();
    try {
      sync();
      return slot.stat();
    } finally {
      lock.unlockShared();
    }
  }

  void setModified(Instant mtime) {
    lock.sharedForSlot();
    try {
      sync(); // what came before must not change it later
      slot.setModified(mtime, clock.instant());
    } finally {
      lock.unlockShared();
    }
  }

  private void sync() {
    DirectMode mode = direct;
    if (mode != null) {
      mode.sync();
    }
  }

  /** Of a region that is gone, nothing is left to change. */
  void noEarlierThan(Instant time) {
    if (lock.sharedIfAlive()) {
      try {
        slot.noEarlierThan(time);
      } finally {
        lock.unlockShared();
      }
    }
  }

  /** The bytes changed now; by a holder of the region's lock. */
  void touch() {
    slot.modified(clock.instant());
  }

  /**
   * Another host is about to use the slot. On a device whose atomics do not agree with the
   * processor's, the first one that may swap the size word makes this host use its device too.
   *
   * @param hasAtomics of the other host's device
   * @return whether that host swaps the size word itself; else it calls {@link #grow}
   */
  boolean attach(boolean hasAtomics) {
    if (!hasAtomics || host.atomics() == Atomics.NONE) {
      return false;
    }
    if (mustChangeWay()) {
      lock.exclusiveForSlot();
      try {
        slot.sizeWord().changeBy(host.loopback());
      } finally {
        lock.unlockExclusive();
      }
    }
    return true;
  }

  private boolean mustChangeWay() {
    lock.sharedForSlot();
    try {
      return host.atomics() == Atomics.DEVICE && !slot.sizeWord().isChangedBy(host.loopback());
    } finally {
      lock.unlockShared();
    }
  }

  /**
   * For a host that has put its bytes and times in place but cannot swap the size: makes the size
   * at least so much, unless the epoch has ended since. Doing it twice is doing it once. Returns
   * the size word now.
   */
  long grow(int epoch, long size) {
    lock.sharedForSlot();
    try {
      if (slot.epoch() == epoch && direct == null) {
        slot.growTo(size);
      }
      return slot.sizeWord().get();
    } finally {
      lock.unlockShared();
    }
  }

  /** The same for bytes without times; tells whether the epoch has lasted. */
  boolean commit(int epoch, long size) {
    lock.sharedForSlot();
    try {
      if (slot.epoch() != epoch || direct != null) {
        return false;
      }
      touch();
      slot.growTo(size);
      return true;
    } finally {
      lock.unlockShared();
    }
  }
}
