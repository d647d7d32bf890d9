package io.regionfs.verbs;

import com.google.errorprone.annotations.MustBeClosed;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;

/** One host's device: it registers memory and connects to the devices of other hosts. */
public interface Fabric extends AutoCloseable {
  /** Most bytes of one registration: DiSNI's lengths are ints. */
  long MAX_REGISTRATION_BYTES = 1L << 30;

  /**
   * Which device serves and why, in one line, for status and xattrs: "soft (no RDMA device found)".
   */
  String description();

  /** What ails the device now, in one line, such as a port that is down; empty: nothing. */
  String trouble();

  /** What the device can do; does not change. */
  DeviceLimits limits();

  /**
   * Makes memory known to the device. EINVAL-like mistakes are IllegalArgumentException.
   *
   * @throws IOException if the device refuses, with the cure if it is known (memlock)
   */
  @MustBeClosed
  RegisteredMemory register(long address, long length, Access access) throws IOException;

  /** Starts to accept connections; port 0 takes a free one. */
  @MustBeClosed
  FabricListener listen(InetSocketAddress address) throws IOException;

  /**
   * Connects to a listening peer. The reason of a failure is DISCONNECTED (refused, unreachable) or
   * TIMED_OUT.
   */
  @MustBeClosed
  Connection connect(InetSocketAddress peer, Duration deadline)
      throws TransferException, InterruptedException;

  /** Memory registered and not yet closed, for leak checks and status. */
  int registrations();

  /** Bytes of it. */
  long registeredBytes();

  @Override
  void close();
}
