package io.regionfs.verbs.soft;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import com.ibm.disni.verbs.IbvContext;
import com.ibm.disni.verbs.RdmaProvider;
import io.regionfs.verbs.Atomics;
import java.io.IOException;
import java.nio.ByteOrder;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A software RDMA device. Once installed, DiSNI and all that stands on it use it without knowing.
 */
public final class SoftDevice {
  /** Queue pair numbers are unique in the process, whatever device they belong to. */
  private static final AtomicInteger QUEUE_PAIR_NUMBERS = new AtomicInteger(16);

  private static final AtomicInteger DOMAIN_HANDLES = new AtomicInteger(1);

  private final SoftDeviceOptions options;
  private final MemoryTable memory = new MemoryTable();

  @GuardedBy("this")
  private @Nullable SoftContext context;

  private final ScheduledExecutorService timer;
  private final SteppedAtomics atomics = new SteppedAtomics();

  SoftDevice(SoftDeviceOptions options) {
    this.options = options;
    if (ByteOrder.nativeOrder() != ByteOrder.LITTLE_ENDIAN) {
      throw new IllegalStateException("soft verbs run on little-endian machines only");
    }
    ScheduledThreadPoolExecutor executor =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread thread = Executors.defaultThreadFactory().newThread(task);
              thread.setName("soft-verbs-timer");
              thread.setDaemon(true);
              return thread;
            });
    executor.setRemoveOnCancelPolicy(true);
    timer = executor;
  }

  /**
   * Makes DiSNI use a software device for the rest of the process's life. A second call changes
   * nothing and returns the device of the first, whatever its options.
   *
   * @throws IllegalStateException if DiSNI already runs on another provider
   */
  @SuppressWarnings("LockOnNonEnclosingClassLiteral") // the lock of the field that is set
  public static SoftDevice install(SoftDeviceOptions options) {
    synchronized (RdmaProvider.class) {
      RdmaProvider seated = ProviderSeat.provider();
      if (seated instanceof SoftProvider soft) {
        return soft.device();
      }
      if (seated != null) {
        throw new IllegalStateException(
            "DiSNI already runs on "
                + seated.getClass().getName()
                + "; soft verbs must be installed before its first use");
      }
      try {
        DisniClasses.define();
      } catch (IllegalAccessException e) {
        throw new IllegalStateException("this DiSNI takes no classes of ours", e);
      }
      SoftProvider provider = new SoftProvider(new SoftDevice(options));
      ProviderSeat.take(provider);
      return provider.device();
    }
  }

  public SoftDeviceOptions options() {
    return options;
  }

  /** Memory registered and not yet deregistered. */
  public int registrations() {
    return memory.size();
  }

  /** Bytes of it. */
  public long registeredBytes() {
    return memory.bytes();
  }

  /** The one context of this device: whoever opens it shares it. */
  synchronized SoftContext context() throws IOException {
    SoftContext opened = context;
    if (opened == null) {
      opened = new SoftContext(this);
      context = opened;
    }
    return opened;
  }

  /** Against what the atomics of an opened device are atomic; of another's context: nothing. */
  public static Atomics atomicsOf(IbvContext opened) {
    return opened instanceof SoftContext soft ? soft.device().options().atomics() : Atomics.NONE;
  }

  /** Carries out an atomic that is atomic only against those of this device; its old value. */
  long atomically(long header, long address) {
    return atomics.carryOut(header, address);
  }

  MemoryTable memory() {
    return memory;
  }

  ScheduledExecutorService timer() {
    return timer;
  }

  int nextQueuePairNumber() {
    return QUEUE_PAIR_NUMBERS.getAndIncrement();
  }

  int nextDomainHandle() {
    return DOMAIN_HANDLES.getAndIncrement();
  }
}
