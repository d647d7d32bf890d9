package io.regionfs.verbs.disni;

import com.google.errorprone.annotations.MustBeClosed;
import com.ibm.disni.verbs.IbvContext;
import com.ibm.disni.verbs.IbvMr;
import com.ibm.disni.verbs.IbvPd;
import com.ibm.disni.verbs.IbvQP;
import com.ibm.disni.verbs.IbvQPInitAttr;
import com.ibm.disni.verbs.RdmaCm;
import com.ibm.disni.verbs.RdmaCmId;
import com.ibm.disni.verbs.RdmaEventChannel;
import io.regionfs.verbs.Access;
import io.regionfs.verbs.Batch;
import io.regionfs.verbs.Connection;
import io.regionfs.verbs.DeviceLimits;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.FabricListener;
import io.regionfs.verbs.RegisteredMemory;
import io.regionfs.verbs.TransferException;
import io.regionfs.verbs.soft.SoftDevice;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The device that DiSNI's provider offers at one address, with one protection domain for all memory
 * and connections. DiSNI's endpoint groups are not used: they poll with threads of their own, and
 * wait for ever when a peer refuses. Safe for use by many threads; closing it ends what is open.
 */
public final class DisniFabric implements Fabric {
  private static final Logger LOG = LoggerFactory.getLogger(DisniFabric.class);

  /** Most work requests that one connection has with the device; a power of two. */
  private static final int SEND_QUEUE_DEPTH = 128;

  private static final Duration KEEPER_PERIOD = Duration.ofMillis(100);

  private final String description;
  private final InetAddress address;
  private final Pulse pulse;
  private final RdmaEventChannel channel;
  private final RdmaCmId device;
  private final IbvContext context;
  private final IbvPd domain;
  private final DeviceLimits limits;
  private final Registrar registrar;
  private final @Nullable CompletionQueue obstacle;
  private final PulseTable heartbeats;
  private final Fences fences = new Fences();
  private final Set<DisniMemory> memory = ConcurrentHashMap.newKeySet();
  private final AtomicLong registeredBytes = new AtomicLong();
  private final Set<DisniConnection> connections = ConcurrentHashMap.newKeySet();
  private final Set<DisniListener> listeners = ConcurrentHashMap.newKeySet();
  private final AtomicBoolean closed = new AtomicBoolean();
  private final Thread keeper;
  private final @Nullable DeviceEvents events;

  @SuppressWarnings("MustBeClosedChecker") // closed in close()
  private DisniFabric(
      String description,
      InetAddress address,
      Pulse pulse,
      RdmaEventChannel channel,
      RdmaCmId device,
      IbvContext context,
      IbvPd domain,
      @Nullable NativeDevice nativeDevice,
      Registrar registrar,
      @Nullable CompletionQueue obstacle)
      throws IOException {
    this.limits = registrar.limits();
    this.registrar = registrar;
    this.description = description;
    this.address = address;
    this.pulse = pulse;
    this.obstacle = obstacle;
    this.heartbeats = PulseTable.local(domain);
    this.channel = channel;
    this.device = device;
    this.context = context;
    this.domain = domain;
    this.keeper = new Thread(this::keep, "fabric-keeper");
    keeper.setDaemon(true);
    this.events = nativeDevice == null ? null : nativeDevice.events(new Ends());
  }

  /** What the device says ends connections. */
  private final class Ends implements DeviceEvents.Listener {
    @Override
    public void queuePairFailed(int number, String event) {
      for (DisniConnection connection : connections) {
        if (connection.queuePair() == number) {
          connection.failed(event);
        }
      }
    }

    @Override
    public void deviceFailed(String event) {
      connections.forEach(DisniConnection::close);
    }
  }

  /**
   * Opens the device that has this address; a provider must be chosen before, see {@link
   * FabricSelection}.
   *
   * @throws IOException if no device has the address
   */
  @MustBeClosed
  static DisniFabric open(InetAddress address, String description, Pinning pinning)
      throws IOException {
    return open(address, description, pinning, Pulse.DEFAULT);
  }

  @MustBeClosed
  @SuppressWarnings("MustBeClosedChecker") // what fails half-way is closed by hand
  static DisniFabric open(InetAddress address, String description, Pinning pinning, Pulse pulse)
      throws IOException {
    NativeProvider.seat();
    RdmaEventChannel channel = RdmaEventChannel.createEventChannel();
    if (channel == null) {
      throw new IOException("no event channel for connections: no RDMA device");
    }
    RdmaCmId id = null;
    IbvPd domain = null;
    CompletionQueue obstacle = null;
    try {
      id = channel.createId(RdmaCm.RDMA_PS_TCP);
      id.bindAddr(new InetSocketAddress(address, 0));
      IbvContext context = id.getVerbs();
      if (context == null) {
        throw new IOException("no RDMA device has the address " + address.getHostAddress());
      }
      NativeDevice nativeDevice = NativeDevice.of(id, context);
      DeviceLimits limits = nativeDevice == null ? softLimits(context) : nativeDevice.limits();
      requireRoom(limits);
      obstacle = SoftIwarp.obstacle(context, limits);
      domain = context.allocPd();
      Registrar registrar =
          new Registrar(domain, limits, limits.onDemandPaging() && pinning == Pinning.ON_DEMAND);
      DisniFabric fabric =
          new DisniFabric(
              description,
              address,
              pulse,
              channel,
              id,
              context,
              domain,
              nativeDevice,
              registrar,
              obstacle);
      fabric.keeper.start();
      if (fabric.events != null) {
        fabric.events.start();
      }
      return fabric;
    } catch (IOException e) {
      if (domain != null) {
        deallocate(domain);
      }
      if (obstacle != null) {
        obstacle.close();
      }
      if (id != null) {
        id.destroyId();
      }
      DisniConnection.closeChannel(channel);
      throw e;
    }
  }

  private static void deallocate(IbvPd domain) {
    try {
      domain.deallocPd();
    } catch (Exception e) { // what DiSNI declares
      LOG.warn("A protection domain could not be freed", e);
    }
  }

  IbvContext context() {
    return context;
  }

  /** Of this host, where the device is. */
  InetAddress address() {
    return address;
  }

  Pulse pulse() {
    return pulse;
  }

  /** A table of its own for a listener's pulses. */
  @MustBeClosed
  PulseTable pulseTable() throws IOException {
    return PulseTable.forPeers(domain);
  }

  /** The active ends' words. */
  PulseTable heartbeats() {
    return heartbeats;
  }

  Fences fences() {
    return fences;
  }

  /**
   * A write is complete when it has been sent, not when it has arrived, and until then a resend may
   * take other bytes from its buffer: iWARP. So a batch must end with something that is answered.
   */
  boolean writesCompleteEarly() {
    return limits.transport().equals("iWARP");
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public String trouble() {
    return events == null ? "" : events.trouble();
  }

  @Override
  public DeviceLimits limits() {
    return limits;
  }

  private static DeviceLimits softLimits(IbvContext context) {
    return new DeviceLimits(
        "soft",
        0,
        "TCP",
        SoftDevice.atomicsOf(context),
        Integer.MAX_VALUE,
        MAX_REGISTRATION_BYTES,
        SEND_QUEUE_DEPTH,
        2 * SEND_QUEUE_DEPTH,
        SEND_QUEUE_DEPTH,
        0,
        0,
        false);
  }

  @Override
  @MustBeClosed
  public RegisteredMemory register(long address, long length, Access access) throws IOException {
    if (address == 0 || length <= 0 || length > MAX_REGISTRATION_BYTES) {
      throw new IllegalArgumentException(
          "cannot register " + length + " bytes at " + Long.toHexString(address));
    }
    requireOpen();
    IbvMr region =
        registrar.register(address, length, access, memory.size(), registeredBytes.get());
    DisniMemory made = new DisniMemory(this, region, address, length);
    memory.add(made);
    registeredBytes.addAndGet(length);
    return made;
  }

  void forget(DisniMemory closedMemory) {
    memory.remove(closedMemory);
    registeredBytes.addAndGet(-closedMemory.length());
  }

  @Override
  @MustBeClosed
  @SuppressWarnings("MustBeClosedChecker") // the caller's
  public FabricListener listen(InetSocketAddress address) throws IOException {
    requireOpen();
    DisniListener listener = DisniListener.open(this, address);
    listeners.add(listener);
    return listener;
  }

  void forget(DisniListener listener) {
    listeners.remove(listener);
  }

  @Override
  @MustBeClosed
  @SuppressWarnings("MustBeClosedChecker") // what fails half-way is closed by hand
  public Connection connect(InetSocketAddress peer, Duration deadline)
      throws TransferException, InterruptedException {
    DisniConnection made = Connecting.to(this, peer, deadline);
    connections.add(made);
    if (closed.get()) {
      made.close();
    }
    return made;
  }

  /** Within the device's limits; a power of two. */
  static int sendQueueDepth(DeviceLimits limits) {
    int most = Math.min(limits.workRequests(), limits.completions() / 2);
    return Integer.highestOneBit(Math.min(SEND_QUEUE_DEPTH, most));
  }

  private static void requireRoom(DeviceLimits limits) throws IOException {
    if (sendQueueDepth(limits) < Batch.MAX_OPERATIONS) {
      throw new IOException(
          "device "
              + limits.device()
              + " is too small: its queues hold "
              + limits.workRequests()
              + " work requests and "
              + limits.completions()
              + " completions");
    }
  }

  IbvQP createQueuePair(RdmaCmId id, CompletionQueue completions, int depth) throws IOException {
    IbvQPInitAttr attributes = new IbvQPInitAttr();
    attributes.cap().setMax_send_wr(depth);
    attributes.cap().setMax_send_sge(1);
    attributes.cap().setMax_recv_wr(1);
    attributes.cap().setMax_recv_sge(1);
    attributes.cap().setMax_inline_data(0);
    attributes.setQp_type(IbvQP.IBV_QPT_RC);
    attributes.setSend_cq(completions.queue());
    attributes.setRecv_cq(completions.queue());
    IbvQP queuePair = id.createQP(domain, attributes);
    if (queuePair == null) {
      throw new IOException("the device has no queue pair left");
    }
    return queuePair;
  }

  void forget(DisniConnection connection) {
    connections.remove(connection);
  }

  private void keep() {
    try {
      while (!closed.get()) {
        Thread.sleep(KEEPER_PERIOD.toMillis());
        for (DisniConnection connection : connections) {
          connection.check();
        }
      }
    } catch (InterruptedException e) {
      LOG.debug("The keeper ends");
    }
  }

  void requireOpen() throws IOException {
    if (closed.get()) {
      throw new IOException("the fabric is closed");
    }
  }

  @Override
  public int registrations() {
    return memory.size();
  }

  @Override
  public long registeredBytes() {
    return registeredBytes.get();
  }

  /** Ends listeners and connections, and deregisters what its owners have left. */
  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    keeper.interrupt();
    joinUninterruptibly(keeper);
    if (events != null) {
      events.close();
    }
    listeners.forEach(DisniListener::close);
    connections.forEach(DisniConnection::close);
    for (DisniMemory left : memory) {
      LOG.warn("{} bytes were still registered when the fabric closed", left.length());
      left.close();
    }
    if (obstacle != null) {
      obstacle.close();
    }
    heartbeats.close();
    deallocate(domain);
    try {
      device.destroyId();
    } catch (IOException e) {
      LOG.warn("The device could not be closed", e);
    }
    DisniConnection.closeChannel(channel);
  }

  static void joinUninterruptibly(Thread thread) {
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
