package io.regionfs.data;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.model.FallocateMode;
import io.regionfs.model.InodeId;
import io.regionfs.verbs.Atomics;
import io.regionfs.verbs.DeviceLimits;
import io.regionfs.verbs.DeviceUnderTest;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.soft.SeatedDevice;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/**
 * One region that its home and two other hosts change at once, with each kind of atomics, and with
 * the kernel of the home beside them.
 */
@SuppressWarnings("MustBeClosedChecker") // each test closes its device
class SharedRegionTest {
  private static final InodeId INODE = new InodeId(1);
  private static final int BLOCK = 777;
  private static final int BLOCKS = 400;
  private static final int THREADS = 6;
  private static final int SPAN = 256 << 10;

  /** Whether the kernel of the home uses the region itself. */
  private enum Kernel {
    AWAY,
    THERE,
    COMING_AND_GOING
  }

  abstract static class OfThreeHosts {
    private final DeviceUnderTest device;
    private final RemoteHost host;

    private final DirectRegions direct;
    private final AtomicBoolean over = new AtomicBoolean();
    private final Thread coming = new Thread(this::comeAndGo, "kernel");

    /** At home, twice from elsewhere, and the home's kernel if it is there. */
    private final List<Regions> ways = new ArrayList<>();

    OfThreeHosts(DeviceUnderTest device, Atomics ofTheThird) throws IOException {
      this(device, ofTheThird, Kernel.AWAY);
    }

    OfThreeHosts(DeviceUnderTest device, Atomics ofTheThird, Kernel kernel) throws IOException {
      this.device = device;
      host = new RemoteHost(64 << 20, device);
      direct = new DirectRegions(host.memory(), host.memory());
      ways.add(host.memory());
      ways.add(host.regions(RemoteOptions.defaults(), host.borrowerFabric));
      ways.add(
          host.regions(RemoteOptions.defaults(), sayingOfAtomics(host.borrowerFabric, ofTheThird)));
      open(0).close();
      if (kernel == Kernel.THERE) {
        direct.begin(INODE, RemoteHost.HOME);
        ways.add(host.memory());
      } else if (kernel == Kernel.COMING_AND_GOING) {
        coming.start();
      }
    }

    private void comeAndGo() {
      while (!over.get()) {
        direct.begin(INODE, RemoteHost.HOME);
        LockSupport.parkNanos(3_000_000);
        direct.leave(INODE);
        LockSupport.parkNanos(1_000_000);
      }
    }

    /** A fabric that knows other atomics of its device than there are. */
    private static Fabric sayingOfAtomics(Fabric fabric, Atomics atomics) {
      return (Fabric)
          Proxy.newProxyInstance(
              Fabric.class.getClassLoader(),
              new Class<?>[] {Fabric.class},
              (proxy, method, arguments) -> {
                try {
                  Object result = method.invoke(fabric, arguments);
                  return result instanceof DeviceLimits limits ? with(limits, atomics) : result;
                } catch (InvocationTargetException e) {
                  throw e.getCause();
                }
              });
    }

    private static DeviceLimits with(DeviceLimits limits, Atomics atomics) {
      return new DeviceLimits(
          limits.device(),
          limits.port(),
          limits.transport(),
          atomics,
          limits.registrations(),
          limits.registrationBytes(),
          limits.workRequests(),
          limits.completions(),
          limits.readsAndAtomics(),
          limits.inlineBytes(),
          limits.mtu(),
          limits.onDemandPaging());
    }

    private Region open(int way) {
      Region region = ways.get(way).open(INODE, RemoteHost.HOME, true);
      return way < 3 ? region : new KernelRegion(region, direct.begin(INODE, RemoteHost.HOME));
    }

    @AfterEach
    void close() throws InterruptedException {
      over.set(true);
      coming.join();
      direct.leave(INODE);
      ways.get(1).close();
      ways.get(2).close();
      assertThat(host.borrowerFabric.registrations()).isZero();
      host.close();
      assertThat(host.homeFabric.registrations()).isZero();
      device.close();
    }

    @Test
    void noGrowthIsLost() throws Exception {
      AtomicInteger next = new AtomicInteger();
      Parallel.run(
          THREADS,
          index -> {
            try (RegionBytes own = new RegionBytes(ways.get(index % ways.size()));
                Region region = open(index % ways.size())) {
              for (int n = next.getAndIncrement(); n < BLOCKS; n = next.getAndIncrement()) {
                long offset = (long) n * BLOCK;
                own.write(region, offset, RegionBytes.pattern(BLOCK, n));
                assertThat(region.stat().size()).isGreaterThanOrEqualTo(offset + BLOCK);
              }
            }
          });
      for (int way = 0; way < ways.size(); way++) {
        try (RegionBytes own = new RegionBytes(ways.get(way));
            Region region = open(way)) {
          assertThat(region.stat().size()).isEqualTo((long) BLOCKS * BLOCK);
          for (int n = 0; n < BLOCKS; n++) {
            assertThat(own.read(region, (long) n * BLOCK, BLOCK))
                .as("block %d", n)
                .isEqualTo(RegionBytes.pattern(BLOCK, n));
          }
        }
      }
    }

    @Test
    void noAppendIsLostBesideOtherGrowth() throws Exception {
      int appends = 60;
      AtomicInteger written = new AtomicInteger();
      Parallel.run(
          THREADS,
          index -> {
            try (RegionBytes own = new RegionBytes(ways.get(index % ways.size()));
                Region region = open(index % ways.size())) {
              for (int i = 0; i < appends; i++) {
                byte[] record = RegionBytes.pattern(i % 10 == 0 ? 20_000 : BLOCK, i);
                long offset = own.append(region, record);
                assertThat(own.read(region, offset, record.length)).isEqualTo(record);
                written.addAndGet(record.length);
              }
            }
          });
      for (int way = 0; way < ways.size(); way++) {
        try (Region region = open(way)) {
          assertThat(region.stat().size()).isEqualTo(written.get());
        }
      }
    }

    @Test
    void noGrowthIsLostBetweenTruncations() throws Exception {
      long seed = System.nanoTime();
      System.out.println("noGrowthIsLostBetweenTruncations: seed " + seed);
      AtomicInteger begun = new AtomicInteger();
      AtomicInteger ended = new AtomicInteger();
      Parallel.run(
          THREADS,
          index -> {
            Random random = new Random(seed + index);
            try (RegionBytes own = new RegionBytes(ways.get(index % ways.size()));
                Region region = open(index % ways.size())) {
              for (int i = 0; i < 150; i++) {
                int before = begun.get();
                boolean quiet = ended.get() == before;
                long offset = random.nextInt(SPAN);
                int what = random.nextInt(10);
                if (what == 0) {
                  begun.incrementAndGet();
                  region.truncate(offset);
                  ended.incrementAndGet();
                  continue;
                }
                long end = offset + BLOCK;
                if (what == 1) {
                  end = own.append(region, RegionBytes.pattern(BLOCK, i)) + BLOCK;
                } else if (what == 2) {
                  region.allocate(FallocateMode.ALLOCATE, offset, BLOCK);
                } else {
                  own.write(region, offset, RegionBytes.pattern(BLOCK, i));
                }
                long size = region.stat().size();
                if (quiet && begun.get() == before) {
                  assertThat(size)
                      .as("seed %d, step %d of %d", seed, i, index)
                      .isGreaterThanOrEqualTo(end);
                }
              }
            }
          });
      byte[] expected = null;
      for (int way = 0; way < ways.size(); way++) {
        try (RegionBytes own = new RegionBytes(ways.get(way));
            Region region = open(way)) {
          byte[] all = own.read(region, 0, 8 << 20);
          assertThat(region.stat().size()).isEqualTo(all.length);
          expected = expected == null ? all : expected;
          assertThat(all).isEqualTo(expected);
        }
      }
    }
  }

  @Nested
  class WithGlobalAtomics extends OfThreeHosts {
    WithGlobalAtomics() throws IOException {
      super(new SeatedDevice(Atomics.GLOBAL), Atomics.GLOBAL);
    }
  }

  @Nested
  class WithAtomicsOfTheDevice extends OfThreeHosts {
    WithAtomicsOfTheDevice() throws IOException {
      super(new SeatedDevice(Atomics.DEVICE), Atomics.DEVICE);
    }
  }

  @Nested
  class WithAtomicsOfTheDeviceThatOneHostLacks extends OfThreeHosts {
    WithAtomicsOfTheDeviceThatOneHostLacks() throws IOException {
      super(new SeatedDevice(Atomics.DEVICE), Atomics.NONE);
    }
  }

  @Nested
  class WithoutAtomics extends OfThreeHosts {
    WithoutAtomics() throws IOException {
      super(new SeatedDevice(Atomics.NONE), Atomics.NONE);
    }
  }

  @Nested
  class BesideTheKernel extends OfThreeHosts {
    BesideTheKernel() throws IOException {
      super(new SeatedDevice(Atomics.GLOBAL), Atomics.GLOBAL, Kernel.THERE);
    }
  }

  @Nested
  class WithAtomicsOfTheDeviceBesideTheKernel extends OfThreeHosts {
    WithAtomicsOfTheDeviceBesideTheKernel() throws IOException {
      super(new SeatedDevice(Atomics.DEVICE), Atomics.NONE, Kernel.THERE);
    }
  }

  @Nested
  class WhileTheKernelComesAndGoes extends OfThreeHosts {
    WhileTheKernelComesAndGoes() throws IOException {
      super(new SeatedDevice(Atomics.GLOBAL), Atomics.GLOBAL, Kernel.COMING_AND_GOING);
    }
  }

  @Nested
  class WithAtomicsOfTheDeviceWhileTheKernelComesAndGoes extends OfThreeHosts {
    WithAtomicsOfTheDeviceWhileTheKernelComesAndGoes() throws IOException {
      super(new SeatedDevice(Atomics.DEVICE), Atomics.NONE, Kernel.COMING_AND_GOING);
    }
  }
}
