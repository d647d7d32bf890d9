package io.regionfs.region;

import io.regionfs.verbs.Access;
import io.regionfs.verbs.Atomics;
import io.regionfs.verbs.Connection;
import io.regionfs.verbs.DeviceLimits;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.FabricListener;
import io.regionfs.verbs.RegisteredMemory;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Knows what is registered, and moves nothing. */
final class FakeFabric implements Fabric {
  /** What a peer with a key could touch. */
  record Registered(long address, long length, Access access) {}

  private final Map<Integer, Registered> registered = new ConcurrentHashMap<>();
  private final AtomicInteger nextKey = new AtomicInteger(1);
  private volatile Atomics atomics = Atomics.GLOBAL;
  private volatile long limitBytes = Long.MAX_VALUE;

  /** Of the device, from now on. */
  void atomics(Atomics value) {
    atomics = value;
  }

  /** Registrations beyond so many bytes are refused, as by memlock. */
  void limitBytes(long bytes) {
    limitBytes = bytes;
  }

  /** Null when the key is of no use (any more). */
  @Nullable Registered find(int key) {
    return registered.get(key);
  }

  @Override
  public String description() {
    return "fake";
  }

  @Override
  public String trouble() {
    return "";
  }

  @Override
  public DeviceLimits limits() {
    return new DeviceLimits(
        "fake", 0, "none", atomics, 1 << 20, MAX_REGISTRATION_BYTES, 16, 16, 16, 0, 0, false);
  }

  @Override
  public RegisteredMemory register(long address, long length, Access access) throws IOException {
    if (registeredBytes() + length > limitBytes) {
      throw new IOException("too much memory is locked");
    }
    int key = nextKey.getAndIncrement();
    registered.put(key, new Registered(address, length, access));
    return new RegisteredMemory() {
      @Override
      public long address() {
        return address;
      }

      @Override
      public long length() {
        return length;
      }

      @Override
      public int localKey() {
        return key;
      }

      @Override
      public int remoteKey() {
        return key;
      }

      @Override
      public void close() {
        registered.remove(key);
      }
    };
  }

  @Override
  public FabricListener listen(InetSocketAddress address) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Connection connect(InetSocketAddress peer, Duration deadline) {
    throw new UnsupportedOperationException();
  }

  @Override
  public int registrations() {
    return registered.size();
  }

  @Override
  public long registeredBytes() {
    return registered.values().stream().mapToLong(Registered::length).sum();
  }

  @Override
  public void close() {}
}
