package io.regionfs.verbs.disni;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.verbs.Atomics;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.soft.SeatedDevice;
import java.io.IOException;
import java.net.InetAddress;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** The fabric over software devices with less than global atomics. */
@SuppressWarnings({"MustBeClosedChecker", "NullAway.Init"}) // closed after all tests of a class
class DisniSoftAtomicsTest {
  private static Atomics ofTheDevice() throws IOException {
    try (Fabric fabric = new DisniSoftFabricTest().open(InetAddress.getLoopbackAddress())) {
      return fabric.limits().atomics();
    }
  }

  @Nested
  class None extends DisniSoftFabricTest {
    private static SeatedDevice device;

    @BeforeAll
    static void seat() {
      device = new SeatedDevice(Atomics.NONE);
    }

    @Test
    void theLimitsSaySo() throws IOException {
      assertThat(ofTheDevice()).isEqualTo(Atomics.NONE);
    }

    @AfterAll
    static void unseat() {
      device.close();
    }
  }

  @Nested
  class OfTheDevice extends DisniSoftFabricTest {
    private static SeatedDevice device;

    @BeforeAll
    static void seat() {
      device = new SeatedDevice(Atomics.DEVICE);
    }

    @Test
    void theLimitsSaySo() throws IOException {
      assertThat(ofTheDevice()).isEqualTo(Atomics.DEVICE);
    }

    @AfterAll
    static void unseat() {
      device.close();
    }
  }
}
