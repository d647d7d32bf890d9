package io.regionfs.region;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.regionfs.data.Slot;
import io.regionfs.model.FsException;
import io.regionfs.posix.Memory;
import io.regionfs.verbs.Access;
import io.regionfs.verbs.Atomics;
import io.regionfs.verbs.Connection;
import io.regionfs.verbs.DeviceUnderTest;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.FabricListener;
import io.regionfs.verbs.RegisteredMemory;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A size word that its home and another host change, both by the atomics of their device. */
@SuppressWarnings({"MustBeClosedChecker", "NullAway.Init"}) // closed in stop
abstract class SizeWordContract {
  static final Duration PATIENCE = Duration.ofSeconds(60);
  static final int ROUNDS = 1500;

  private final DeviceUnderTest device;
  private Fabric fabric;
  private FabricListener listener;
  private long address;
  private RegisteredMemory memory;
  private @Nullable LoopbackSwap otherHost;
  private SizeWord seenByOther;
  private final AtomicReference<@Nullable Connection> lastMade = new AtomicReference<>();

  SizeWordContract(DeviceUnderTest device) {
    this.device = device;
  }

  @BeforeEach
  void start() throws IOException {
    fabric = device.open();
    assumeTrue(fabric.limits().atomics() != Atomics.NONE, "the device has no atomics");
    listener = fabric.listen(new InetSocketAddress(device.address(), 0));
    address = Memory.allocate(Slot.BYTES);
    Memory.fill(address, Slot.BYTES, (byte) 0);
    memory = fabric.register(address, Slot.BYTES, Access.REMOTE_WRITE);
    LoopbackSwap other = new LoopbackSwap(fabric, listener.address(), PATIENCE);
    otherHost = other;
    seenByOther = word(other);
  }

  @AfterEach
  void stop() {
    if (otherHost != null) {
      otherHost.close();
      memory.close();
      Memory.free(address);
    }
    fabric.close();
    assertThat(fabric.registrations()).isZero();
    device.close();
  }

  private SizeWord word(WordSwap way) {
    SizeWord word = new SizeWord(address, memory.remoteKey());
    word.changeBy(way);
    return word;
  }

  /** Grows in steps; false as soon as the size is less than it was made. */
  private static boolean grows(SizeWord word, int step) {
    long size = Slot.sizeOf(word.get()) + step;
    word.growTo(size);
    return Slot.sizeOf(word.get()) >= size;
  }

  /** Whether growth is lost while both hosts grow the size, within the rounds. */
  final boolean losesGrowth(WordSwap way, int rounds) throws Exception {
    SizeWord atHome = word(way);
    AtomicBoolean lost = new AtomicBoolean();
    CompletableFuture<Void> other =
        CompletableFuture.runAsync(
            () -> {
              for (int i = 0; i < rounds && !lost.get(); i++) {
                if (!grows(seenByOther, 1)) {
                  lost.set(true);
                }
              }
            });
    while (!other.isDone() && !lost.get()) {
      if (!grows(atHome, 1000)) {
        lost.set(true);
      }
    }
    other.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    return lost.get();
  }

  @Test
  void noGrowthIsLostWhileBothUseTheDevice() throws Exception {
    try (LoopbackSwap home = new LoopbackSwap(fabric, listener.address(), PATIENCE)) {
      assertThat(losesGrowth(home, ROUNDS)).isFalse();
    }
  }

  @Test
  void eachShrinkTakesPlaceOnceWhateverHappensToTheConnection() throws Exception {
    long seed = System.nanoTime();
    System.out.println("eachShrinkTakesPlaceOnce: seed " + seed);
    Random random = new Random(seed);
    AtomicBoolean done = new AtomicBoolean();
    CompletableFuture<Void> killer =
        CompletableFuture.runAsync(
            () -> {
              Random pauses = new Random(seed + 1);
              while (!done.get()) {
                long until = System.nanoTime() + pauses.nextInt(3_000_000);
                while (System.nanoTime() < until) {
                  Thread.onSpinWait();
                }
                Connection made = lastMade.getAndSet(null);
                if (made != null) {
                  made.close();
                }
              }
            });
    CompletableFuture<Void> other =
        CompletableFuture.runAsync(
            () -> {
              while (!done.get()) {
                seenByOther.growTo(Slot.sizeOf(seenByOther.get()) + 1);
              }
            });
    try (LoopbackSwap home = new LoopbackSwap(watched(), listener.address(), PATIENCE)) {
      SizeWord atHome = word(home);
      for (int i = 1; i <= 100; i++) {
        long size = random.nextInt(1 << 20);
        atHome.growTo(size);
        assertThat(Slot.sizeOf(atHome.get())).isGreaterThanOrEqualTo(size);
        atHome.shrinkTo(random.nextInt(1 << 20));
        assertThat(Slot.epochOf(atHome.get())).as("seed %d", seed).isEqualTo(i);
      }
    } finally {
      done.set(true);
    }
    killer.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    other.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  /** The fabric, with its connections noted. */
  private Fabric watched() {
    return (Fabric)
        Proxy.newProxyInstance(
            Fabric.class.getClassLoader(),
            new Class<?>[] {Fabric.class},
            (proxy, method, arguments) -> {
              try {
                Object result = method.invoke(fabric, arguments);
                if (result instanceof Connection made) {
                  lastMade.set(made);
                }
                return result;
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  @Test
  void anInterruptWaitsUntilTheSwapIsDone() {
    SizeWord atHome = seenByOther;
    Thread.currentThread().interrupt();
    atHome.growTo(5000);
    assertThat(Thread.interrupted()).isTrue();
    assertThat(Slot.sizeOf(atHome.get())).isEqualTo(5000);
  }

  @Test
  void aDeviceThatCannotIsAnErrorAndChangesNothing() {
    listener.close();
    LoopbackSwap home = new LoopbackSwap(fabric, listener.address(), Duration.ofMillis(100));
    SizeWord atHome = word(home);
    assertThatThrownBy(() -> atHome.growTo(5000))
        .isInstanceOf(FsException.class)
        .hasMessageContaining("EIO:");
    assertThatThrownBy(() -> atHome.shrinkTo(0)).isInstanceOf(FsException.class);
    assertThat(atHome.get()).isZero();
    home.close();
    assertThatThrownBy(() -> atHome.growTo(5000)).hasMessageContaining("shutting down");
  }
}
