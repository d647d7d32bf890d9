package io.regionfs.verbs.disni;

import com.ibm.disni.verbs.IbvMr;
import com.ibm.disni.verbs.IbvPd;
import io.regionfs.verbs.Access;
import io.regionfs.verbs.Atomics;
import io.regionfs.verbs.DeviceLimits;
import io.regionfs.verbs.device.MemoryLock;
import java.io.IOException;

/**
 * Registers memory in one protection domain, within the device's limits; a refusal says which limit
 * it was and how to raise it.
 *
 * @param onDemand what peers reach is not pinned: the device takes page faults instead. Memory of
 *     this process alone is always pinned; it is little, and used all the time
 */
record Registrar(IbvPd domain, DeviceLimits limits, boolean onDemand) {
  private static final int LOCAL_WRITE = IbvMr.IBV_ACCESS_LOCAL_WRITE;
  private static final int REMOTE_READ = LOCAL_WRITE | IbvMr.IBV_ACCESS_REMOTE_READ;
  private static final int REMOTE_WRITE = REMOTE_READ | IbvMr.IBV_ACCESS_REMOTE_WRITE;

  /**
   * @param registrations that there are already
   * @param registeredBytes of them
   */
  IbvMr register(long address, long length, Access access, int registrations, long registeredBytes)
      throws IOException {
    if (length > limits.registrationBytes()) {
      throw new IOException(
          length + " bytes are more than device " + limits.device() + " registers at a time");
    }
    try {
      return domain.regMr(address, (int) length, flags(access)).execute().free().getMr();
    } catch (IOException e) {
      throw new IOException(
          length
              + " bytes could not be registered with device "
              + limits.device()
              + " ("
              + e.getMessage()
              + "): "
              + (onDemand && access != Access.LOCAL ? "try --pin always; " : "")
              + reason(limits, MemoryLock.ofThisProcess(), registrations, registeredBytes),
          e);
    }
  }

  private int flags(Access access) {
    int flags =
        switch (access) {
          case LOCAL -> LOCAL_WRITE;
          case REMOTE_READ -> REMOTE_READ;
          case REMOTE_WRITE ->
              limits.atomics() == Atomics.NONE
                  ? REMOTE_WRITE
                  : REMOTE_WRITE | IbvMr.IBV_ACCESS_REMOTE_ATOMIC;
        };
    return onDemand && access != Access.LOCAL ? flags | IbvMr.IBV_ACCESS_ON_DEMAND : flags;
  }

  /** Which limit it probably was. */
  static String reason(
      DeviceLimits limits, MemoryLock lock, int registrations, long registeredBytes) {
    if (registrations >= limits.registrations()) {
      return "all " + limits.registrations() + " memory regions of the device are in use";
    }
    if (lock.lockableBytes() < Long.MAX_VALUE) {
      return "the limit of locked memory is "
          + lock.text()
          + ", "
          + (registeredBytes >> 10)
          + " KiB are registered: "
          + MemoryLock.cure();
    }
    return "the host or the device has no room left ("
        + registrations
        + " regions, "
        + (registeredBytes >> 10)
        + " KiB are registered)";
  }
}
