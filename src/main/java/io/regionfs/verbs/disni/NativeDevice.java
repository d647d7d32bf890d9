package io.regionfs.verbs.disni;

import com.ibm.disni.verbs.IbvContext;
import com.ibm.disni.verbs.RdmaCm;
import com.ibm.disni.verbs.RdmaCmId;
import com.ibm.disni.verbs.RdmaEventChannel;
import com.ibm.disni.verbs.impl.NatObject;
import io.regionfs.posix.Memory;
import io.regionfs.verbs.Atomics;
import io.regionfs.verbs.DeviceLimits;
import io.regionfs.verbs.Fabric;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * The device that an identifier with an address was given, asked through libdisni.
 *
 * @param context handle of its context
 */
record NativeDevice(long context, String name, int port) {
  private static final int IWARP = 1;
  private static final int ETHERNET = 2;

  /** IBV_ODP_SUPPORT of the general capabilities. */
  private static final long PAGES_ON_DEMAND = 1;

  /** IBV_ODP_SUPPORT_WRITE, _READ and _ATOMIC of those of a transport. */
  private static final long WRITE_READ = 1 << 2 | 1 << 3;

  private static final long ATOMIC = 1 << 4;

  /**
   * Asks the device that has an address what it can do.
   *
   * @throws IOException if there is none, or none of libdisni's
   */
  static DeviceLimits at(InetAddress address) throws IOException {
    NativeProvider.seat();
    RdmaEventChannel channel = RdmaEventChannel.createEventChannel();
    if (channel == null) {
      throw new IOException("no event channel for connections");
    }
    try {
      RdmaCmId id = channel.createId(RdmaCm.RDMA_PS_TCP);
      try {
        id.bindAddr(new InetSocketAddress(address, 0));
        IbvContext context = id.getVerbs();
        NativeDevice device = context == null ? null : of(id, context);
        if (device == null) {
          throw new IOException("no device of libdisni's has this address");
        }
        return device.limits();
      } finally {
        id.destroyId();
      }
    } finally {
      channel.destroyEventChannel();
    }
  }

  /** Null: it is a software device. */
  static @Nullable NativeDevice of(RdmaCmId id, IbvContext context) throws IOException {
    return context instanceof NatObject device && id instanceof NatObject bound
        ? new NativeDevice(
            device.getObjId(),
            NativeVerbs.deviceName(device.getObjId()),
            NativeVerbs.port(bound.getObjId()))
        : null;
  }

  DeviceLimits limits() throws IOException {
    long[] attributes = new long[NativeVerbs.ATTRIBUTE_BYTES / Long.BYTES];
    long memory = Memory.allocate(NativeVerbs.ATTRIBUTE_BYTES);
    try {
      NativeVerbs.queryDevice(context, port, memory);
      for (int i = 0; i < attributes.length; i++) {
        attributes[i] = Memory.getLong(memory + (long) i * Long.BYTES);
      }
    } finally {
      Memory.free(memory);
    }
    return limits(name, port, attributes);
  }

  /** Not yet started. */
  DeviceEvents events(DeviceEvents.Listener listener) {
    return new DeviceEvents(
        name, port, (millis, out) -> NativeVerbs.asyncEvent(context, millis, out), listener);
  }

  /** From what {@link NativeVerbs#queryDevice} fills. */
  static DeviceLimits limits(String name, int port, long[] of) {
    Atomics atomics =
        switch ((int) of[NativeVerbs.ATOMIC_CAP]) {
          case 0 -> Atomics.NONE;
          case 1 -> Atomics.DEVICE;
          default -> Atomics.GLOBAL;
        };
    long needed = atomics == Atomics.NONE ? WRITE_READ : WRITE_READ | ATOMIC;
    boolean onDemand =
        (of[NativeVerbs.ODP_CAPS] & PAGES_ON_DEMAND) != 0
            && (of[NativeVerbs.ODP_RC_CAPS] & needed) == needed;
    return new DeviceLimits(
        name,
        port,
        transport(of),
        atomics,
        atLeastOne(of[NativeVerbs.MAX_MR]),
        Math.min(atLeastOne(of[NativeVerbs.MAX_MR_SIZE]), Fabric.MAX_REGISTRATION_BYTES),
        (int) of[NativeVerbs.MAX_QP_WR],
        (int) of[NativeVerbs.MAX_CQE],
        (int) Math.min(of[NativeVerbs.MAX_INITIATED_READS], of[NativeVerbs.MAX_SERVED_READS]),
        (int) of[NativeVerbs.MAX_INLINE],
        (int) of[NativeVerbs.ACTIVE_MTU],
        onDemand);
  }

  /** A device that does not tell a limit is not held to it. */
  private static long atLeastOne(long value) {
    return value <= 0 ? Long.MAX_VALUE : value;
  }

  private static String transport(long[] of) {
    if (of[NativeVerbs.TRANSPORT_TYPE] == IWARP) {
      return "iWARP";
    }
    return of[NativeVerbs.LINK_LAYER] == ETHERNET ? "RoCE" : "InfiniBand";
  }
}
