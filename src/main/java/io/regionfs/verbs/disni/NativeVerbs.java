package io.regionfs.verbs.disni;

import java.io.IOException;

/**
 * What our libdisni offers beyond the functions that DiSNI declares: what the device is, why a
 * connection event came, what happens to it unasked. Handles are those of DiSNI's objects ({@code
 * getObjId()}); a wrong one is an IOException. Present only with a native device.
 */
final class NativeVerbs {
  /** Of this contract; the library must say the same. */
  static final int VERSION = 1;

  /** Bytes of what {@link #queryDevice} fills: longs in the order of the constants. */
  static final int ATTRIBUTE_BYTES = 24 * Long.BYTES;

  static final int MAX_MR = 0;
  static final int MAX_MR_SIZE = 1;
  static final int MAX_QP = 2;
  static final int MAX_QP_WR = 3;
  static final int MAX_CQ = 4;
  static final int MAX_CQE = 5;
  static final int MAX_PD = 6;
  static final int MAX_SGE = 7;
  static final int MAX_SGE_RD = 8;

  /** max_qp_init_rd_atom: what one queue pair may have outstanding as initiator. */
  static final int MAX_INITIATED_READS = 9;

  /** max_qp_rd_atom: what one queue pair serves at a time. */
  static final int MAX_SERVED_READS = 10;

  /** ibv_atomic_cap: 0 none, 1 against the device's own, 2 against the processor's too. */
  static final int ATOMIC_CAP = 11;

  /** ibv_odp_general_caps bits; 0 without on-demand paging. */
  static final int ODP_CAPS = 12;

  /** ibv_odp_transport_cap_bits of reliable connections. */
  static final int ODP_RC_CAPS = 13;

  static final int PORT_STATE = 14;

  /** Bytes, not the enumeration. */
  static final int ACTIVE_MTU = 15;

  static final int MAX_MESSAGE = 16;

  /** ibv_port_attr.link_layer: 1 InfiniBand, 2 Ethernet. */
  static final int LINK_LAYER = 17;

  /** ibv_device.transport_type: 0 InfiniBand (and RoCE), 1 iWARP. */
  static final int TRANSPORT_TYPE = 18;

  static final int PORTS = 19;

  /** Most bytes that a queue pair of this device takes inline; found by trying; 0: none. */
  static final int MAX_INLINE = 20;

  /** ibv_event_type, and the queue pair's number or the port it happened to (0: the device). */
  static final int EVENT_BYTES = 2 * Long.BYTES;

  private NativeVerbs() {}

  static native int version();

  /** The device's name, such as mlx5_0. */
  static native String deviceName(long context) throws IOException;

  /** The port that an identifier with an address is bound to, from 1. */
  static native int port(long cmId) throws IOException;

  /** Fills ATTRIBUTE_BYTES at this address. */
  static native void queryDevice(long context, int port, long out) throws IOException;

  /** The status of the event that getCmEvent returned last on this channel: 0 or an errno. */
  static native int eventStatus(long eventChannel) throws IOException;

  /** The private data of that event; empty if none. */
  static native byte[] eventData(long eventChannel) throws IOException;

  /**
   * The private data that the next connect or accept of this identifier sends; at most 56 bytes.
   */
  static native void setPrivateData(long cmId, byte[] data) throws IOException;

  /**
   * What the device says unasked (fatal, queue pair error, port down). Waits so long; returns false
   * if nothing came, else fills EVENT_BYTES. The event is acknowledged.
   */
  static native boolean asyncEvent(long context, int timeoutMillis, long out) throws IOException;

  /** Moves a queue pair to the error state: what is posted completes as flushed. */
  static native void fail(long queuePair) throws IOException;
}
