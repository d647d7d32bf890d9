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

  /**
   * Bytes that a queue pair of this device takes inline, at least; found by making one; 0: none.
   */
  static final int MAX_INLINE = 20;

  /** ibv_event_type, and the queue pair's number or the port it happened to (0: the device). */
  static final int EVENT_BYTES = 2 * Long.BYTES;

  /**
   * A request of {@link #postSend}: REQUEST_BYTES, followed by PIECE_BYTES for each of its pieces,
   * followed by the next request. In the processor's byte order.
   */
  static final int REQUEST_BYTES = 56;

  /** long: comes back with the completion. */
  static final int REQUEST_ID = 0;

  /** int: ibv_wr_opcode. */
  static final int REQUEST_OPCODE = 8;

  /** int: ibv_send_flags. */
  static final int REQUEST_FLAGS = 12;

  /** long: where in the peer's memory; of READ, WRITE and atomics. */
  static final int REQUEST_REMOTE_ADDRESS = 16;

  /** int: the key of that memory. */
  static final int REQUEST_REMOTE_KEY = 24;

  /** int: of requests with an immediate; goes to the peer byte for byte. */
  static final int REQUEST_IMMEDIATE = 28;

  /** long: what a compare-and-swap expects, or what a fetch-and-add adds. */
  static final int REQUEST_COMPARE_OR_ADD = 32;

  /** long: what a compare-and-swap stores. */
  static final int REQUEST_SWAP = 40;

  /** int: how many pieces follow; the int after it is 0. */
  static final int REQUEST_PIECES = 48;

  /** A piece of local memory, as struct ibv_sge. */
  static final int PIECE_BYTES = 16;

  /** long. */
  static final int PIECE_ADDRESS = 0;

  /** int. */
  static final int PIECE_LENGTH = 8;

  /** int: the local key; not looked at if the request is inline. */
  static final int PIECE_KEY = 12;

  /** A completion of {@link #poll}, as struct ibv_wc. */
  static final int COMPLETION_BYTES = 48;

  /** long: the request's. */
  static final int COMPLETION_ID = 0;

  /**
   * int: ibv_wc_status. Of a failure, only this, the id, the vendor's word and the queue pair
   * count.
   */
  static final int COMPLETION_STATUS = 8;

  /** int: ibv_wc_opcode. */
  static final int COMPLETION_OPCODE = 12;

  /** int: what the device's maker calls the error. */
  static final int COMPLETION_VENDOR_ERROR = 16;

  /** int: of a receive or READ. */
  static final int COMPLETION_LENGTH = 20;

  /** int: byte for byte as the peer sent it. */
  static final int COMPLETION_IMMEDIATE = 24;

  /** int: of the queue pair that it belongs to. */
  static final int COMPLETION_QUEUE_PAIR = 28;

  private NativeVerbs() {}

  static native int version();

  /** The device's name, such as mlx5_0. */
  static native String deviceName(long context) throws IOException;

  /** The port that an identifier with an address is bound to, from 1. */
  static native int port(long cmId) throws IOException;

  /** Fills ATTRIBUTE_BYTES at this address. */
  static native void queryDevice(long context, int port, long out) throws IOException;

  /**
   * Posts requests, atomics with their operands among them; neither they nor their pieces are
   * looked at after the call, so a chain can be written once and posted often. Inline bytes are
   * copied.
   *
   * @param address of the first request
   * @throws IOException naming the first request, from 0, that was not posted; those before it were
   */
  static native void postSend(long queuePair, long address, int count) throws IOException;

  /**
   * Takes completions, which name their queue pair even if they failed.
   *
   * @param address of room for {@code most} completions
   * @return how many there were
   * @throws IOException if the queue is of no more use
   */
  static native int poll(long completionQueue, long address, int most) throws IOException;

  /**
   * Asks for an event, polls, and if there is nothing waits for the event, at most so long, and
   * polls again. The queue must be alone on its channel.
   *
   * @param address of room for {@code most} completions
   * @return how many there were; 0 when the time is over
   * @throws IOException if the queue is of no more use, the device gone, or the queue being closed
   */
  static native int await(long completionQueue, int timeoutMillis, long address, int most)
      throws IOException;

  /**
   * The status of the event that getCmEvent returned last on this channel: 0, an errno, or for a
   * rejection the transport's reason.
   */
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
