package io.regionfs.verbs.soft;

import com.ibm.disni.verbs.IbvMr;
import com.ibm.disni.verbs.SVCDeregMr;
import com.ibm.disni.verbs.SVCRegMr;
import io.regionfs.posix.LibC;
import io.regionfs.posix.Memory;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Registers memory: a stretch that is mapped as a whole, with access that makes sense. */
final class SoftRegistration extends SVCRegMr {
  private static final int SYS_MINCORE = 27;
  private static final int PAGE_BYTES = 4096;
  private static final int PAGES_AT_A_TIME = 4096;
  private static final int KNOWN_ACCESS =
      IbvMr.IBV_ACCESS_LOCAL_WRITE
          | IbvMr.IBV_ACCESS_REMOTE_WRITE
          | IbvMr.IBV_ACCESS_REMOTE_READ
          | IbvMr.IBV_ACCESS_REMOTE_ATOMIC;
  private static final int REMOTE_CHANGES =
      IbvMr.IBV_ACCESS_REMOTE_WRITE | IbvMr.IBV_ACCESS_REMOTE_ATOMIC;

  private final SoftProtectionDomain domain;
  private final long address;
  private final int length;
  private final int access;
  private final @Nullable Object pin;
  private @Nullable SoftMemoryRegion region;

  SoftRegistration(
      SoftProtectionDomain domain, long address, int length, int access, @Nullable Object pin) {
    this.domain = domain;
    this.address = address;
    this.length = length;
    this.access = access;
    this.pin = pin;
  }

  @Override
  public @Nullable IbvMr getMr() {
    return region;
  }

  @Override
  public SVCRegMr execute() throws IOException {
    if (!domain.isOpen()) {
      throw new IOException("protection domain is deallocated");
    }
    if (length <= 0 || address <= 0 || address + length < 0) {
      throw new IOException("cannot register " + length + " bytes at " + address);
    }
    if ((access & ~KNOWN_ACCESS) != 0) {
      throw new IOException("access flags not supported: " + access);
    }
    if ((access & REMOTE_CHANGES) != 0 && (access & IbvMr.IBV_ACCESS_LOCAL_WRITE) == 0) {
      throw new IOException("remote write and atomics need local write");
    }
    requireMapped();
    MemoryTable table = domain.device().memory();
    synchronized (table) {
      SoftMemoryRegion made =
          new SoftMemoryRegion(domain, address, length, access, table.freeKey(), pin);
      table.add(made);
      region = made;
    }
    return this;
  }

  private void requireMapped() throws IOException {
    long first = address & -PAGE_BYTES;
    long end = address + length;
    long residence = Memory.allocate(PAGES_AT_A_TIME);
    try {
      for (long at = first; at < end; at += (long) PAGES_AT_A_TIME * PAGE_BYTES) {
        long bytes = Math.min(end - at, (long) PAGES_AT_A_TIME * PAGE_BYTES);
        if (LibC.INSTANCE.syscall(SYS_MINCORE, at, bytes, residence, 0, 0, 0) != 0) {
          throw new IOException("memory is not mapped: " + length + " bytes at " + address);
        }
      }
    } finally {
      Memory.free(residence);
    }
  }

  @Override
  public boolean isValid() {
    return domain.isOpen();
  }

  @Override
  public SVCRegMr free() {
    return this;
  }

  /** Withdraws a registration. When it returns, nobody touches the memory any more. */
  static final class Withdrawal extends SVCDeregMr {
    private final SoftMemoryRegion region;

    Withdrawal(SoftMemoryRegion region) {
      this.region = region;
    }

    @Override
    public SVCDeregMr execute() throws IOException {
      if (!region.revoke()) {
        throw new IOException("memory is already deregistered");
      }
      region.domain().device().memory().remove(region);
      region.close();
      return this;
    }

    @Override
    public boolean isValid() {
      return region.isOpen();
    }

    @Override
    public SVCDeregMr free() {
      return this;
    }
  }
}
