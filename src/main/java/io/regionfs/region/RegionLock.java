package io.regionfs.region;

import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * A region's lock: shared by those that touch bytes, exclusive for those that give or take memory.
 * Once the region is gone nobody gets it, but with EIO.
 */
final class RegionLock {
  private final InodeId inode;
  private final RegionMemory memory;
  private final ReadWriteLock lock = new ReentrantReadWriteLock();

  /** Changes under the exclusive lock: no memory any more, nothing may be touched. */
  private volatile boolean gone;

  RegionLock(InodeId inode, RegionMemory memory) {
    this.inode = inode;
    this.memory = memory;
  }

  /** With the memory loaded. */
  void shared() {
    if (!memory.isLoaded()) {
      exclusive();
      unlockExclusive();
    }
    sharedForSlot();
  }

  /** For what touches only the slot. */
  void sharedForSlot() {
    if (!sharedIfAlive()) {
      throw isGone();
    }
  }

  /** For what touches only the slot; false if the region is gone. */
  boolean sharedIfAlive() {
    lock.readLock().lock();
    if (gone) {
      unlockShared();
      return false;
    }
    return true;
  }

  /** By the holder of the exclusive lock, who keeps that. */
  void sharedToo() {
    lock.readLock().lock();
  }

  void unlockShared() {
    lock.readLock().unlock();
  }

  /** With the memory loaded. */
  void exclusive() {
    exclusiveForSlot();
    boolean usable = false;
    try {
      if (!memory.isLoaded()) {
        memory.load();
      }
      usable = true;
    } finally {
      if (!usable) {
        unlockExclusive();
      }
    }
  }

  /** For what touches only the slot. */
  void exclusiveForSlot() {
    if (!exclusiveIfAlive()) {
      throw isGone();
    }
  }

  /** For the end of something; false if the region is gone. */
  boolean exclusiveIfAlive() {
    lock.writeLock().lock();
    if (gone) {
      unlockExclusive();
      return false;
    }
    return true;
  }

  void unlockExclusive() {
    lock.writeLock().unlock();
  }

  /** Takes the exclusive lock for the last time; false if the region was gone before. */
  boolean exclusiveToEnd() {
    lock.writeLock().lock();
    boolean first = !gone;
    gone = true;
    return first;
  }

  private FsException isGone() {
    return new FsException(Errno.EIO, "region " + inode + " is gone from its home");
  }
}
