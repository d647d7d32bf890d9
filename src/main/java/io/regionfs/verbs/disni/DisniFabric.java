package io.regionfs.verbs.disni;

import com.google.errorprone.annotations.MustBeClosed;
import com.ibm.disni.verbs.IbvContext;
import com.ibm.disni.verbs.IbvMr;
import com.ibm.disni.verbs.IbvQP;
import com.ibm.disni.verbs.RdmaCmId;
import io.regionfs.posix.Threads;
import io.regionfs.verbs.Access;
import io.regionfs.verbs.Connection;
import io.regionfs.verbs.DeviceLimits;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.FabricListener;
import io.regionfs.verbs.RegisteredMemory;
import io.regionfs.verbs.TransferException;
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

  private static final Duration KEEPER_PERIOD = Duration.ofMillis(100);

  private final String description;
  private final InetAddress address;
  private final Pulse pulse;
  private final OpenDevice device;
  private final DeviceLimits limits;
  private final Registrar registrar;
  private final PulseTable heartbeats;
  private final Fences fences = new Fences();
  private final Set<DisniMemory> memory = ConcurrentHashMap.newKeySet();
  private final AtomicLong registeredBytes = new AtomicLong();
  private final Set<DisniConnection> connections = ConcurrentHashMap.newKeySet();
  private final Set<DisniListener> listeners = ConcurrentHashMap.newKeySet();
  private final AtomicBoolean closed = new AtomicBoolean();
  private final Connector connector = new Connector(this::make);
  private final Thread keeper;
  private final @Nullable DeviceEvents events;

  @SuppressWarnings("MustBeClosedChecker") // closed in close()
  private DisniFabric(
      String description, InetAddress address, Pinning pinning, Pulse pulse, OpenDevice device)
      throws IOException {
    this.description = description;
    this.address = address;
    this.pulse = pulse;
    this.device = device;
    this.limits = device.limits();
    boolean onDemand = limits.onDemandPaging() && pinning == Pinning.ON_DEMAND;
    this.registrar = new Registrar(device.domain(), limits, onDemand);
    this.heartbeats = PulseTable.local(device.domain());
    this.keeper = new Thread(this::keep, "fabric-keeper");
    keeper.setDaemon(true);
    NativeDevice told = device.nativeDevice();
    this.events = told == null ? null : told.events(new Ends());
  }

  /** What the device says ends connections. */
  private final class Ends implements DeviceEvents.Listener {
    @Override
    public void queuePairFailed(int number, String event) {
      endQueuePair(number, event);
    }

    @Override
    public void deviceFailed(String event) {
      connections.forEach(DisniConnection::close);
      listeners.forEach(DisniListener::allFailed);
    }
  }

  /** Ends the connection that has this queue pair, whichever end of it this is. */
  void endQueuePair(int number, String event) {
    for (DisniConnection connection : connections) {
      if (connection.queuePair() == number) {
        connection.failed(event);
      }
    }
    listeners.forEach(listener -> listener.queuePairFailed(number));
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
    OpenDevice device = OpenDevice.at(address);
    DisniFabric fabric;
    try {
      fabric = new DisniFabric(description, address, pinning, pulse, device);
    } catch (IOException e) {
      device.close();
      throw e;
    }
    fabric.keeper.start();
    if (fabric.events != null) {
      fabric.events.start();
    }
    return fabric;
  }

  IbvContext context() {
    return device.context();
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
    return PulseTable.forPeers(device.domain());
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
  public Connection connect(InetSocketAddress peer, Duration deadline)
      throws TransferException, InterruptedException {
    return connector.connect(peer, deadline);
  }

  @SuppressWarnings("MustBeClosedChecker") // the caller's
  private DisniConnection make(InetSocketAddress peer, Duration deadline)
      throws TransferException, InterruptedException {
    DisniConnection made = Connecting.to(this, peer, deadline);
    connections.add(made);
    if (closed.get()) {
      made.close();
    }
    return made;
  }

  IbvQP createQueuePair(RdmaCmId id, CompletionQueue completions, int depth) throws IOException {
    return QueuePairs.make(id, device.domain(), completions, depth);
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
    Threads.joinUninterruptibly(keeper);
    if (events != null) {
      events.close();
    }
    connector.close();
    listeners.forEach(DisniListener::close);
    connections.forEach(DisniConnection::close);
    for (DisniMemory left : memory) {
      LOG.warn("{} bytes were still registered when the fabric closed", left.length());
      left.close();
    }
    heartbeats.close();
    device.close();
  }
}
