package io.regionfs.verbs.disni;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.verbs.Atomics;
import io.regionfs.verbs.DeviceLimits;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.device.MemoryLock;
import org.junit.jupiter.api.Test;

/** What is made of the limits that a device tells. */
class DeviceLimitsTest {
  private static long[] attributes() {
    long[] of = new long[NativeVerbs.ATTRIBUTE_BYTES / Long.BYTES];
    of[NativeVerbs.MAX_MR] = 1000;
    of[NativeVerbs.MAX_MR_SIZE] = Long.MAX_VALUE;
    of[NativeVerbs.MAX_QP_WR] = 32_768;
    of[NativeVerbs.MAX_CQE] = 4096;
    of[NativeVerbs.MAX_INITIATED_READS] = 128;
    of[NativeVerbs.MAX_SERVED_READS] = 16;
    of[NativeVerbs.ACTIVE_MTU] = 4096;
    of[NativeVerbs.LINK_LAYER] = 2;
    return of;
  }

  private static DeviceLimits limits(long[] attributes) {
    return NativeDevice.limits("d", 1, attributes);
  }

  @Test
  void theTransportIsThatOfThePort() {
    long[] of = attributes();
    assertThat(limits(of).transport()).isEqualTo("RoCE");
    of[NativeVerbs.LINK_LAYER] = 1;
    assertThat(limits(of).transport()).isEqualTo("InfiniBand");
    of[NativeVerbs.TRANSPORT_TYPE] = 1;
    assertThat(limits(of).transport()).isEqualTo("iWARP");
  }

  @Test
  void readsAreHeldToBothEnds() {
    assertThat(limits(attributes()).readsAndAtomics()).isEqualTo(16);
    assertThat(limits(attributes()).registrationBytes()).isEqualTo(Fabric.MAX_REGISTRATION_BYTES);
  }

  @Test
  void pagingOnDemandMustCoverWhatPeersDo() {
    long[] of = attributes();
    of[NativeVerbs.ODP_CAPS] = 1;
    of[NativeVerbs.ODP_RC_CAPS] = 4 | 8;
    assertThat(limits(of).atomics()).isEqualTo(Atomics.NONE);
    assertThat(limits(of).onDemandPaging()).isTrue();
    of[NativeVerbs.ATOMIC_CAP] = 1;
    assertThat(limits(of).atomics()).isEqualTo(Atomics.DEVICE);
    assertThat(limits(of).onDemandPaging()).as("no atomics on demand").isFalse();
    of[NativeVerbs.ODP_RC_CAPS] = 4 | 8 | 16;
    assertThat(limits(of).onDemandPaging()).isTrue();
    of[NativeVerbs.ODP_CAPS] = 0;
    assertThat(limits(of).onDemandPaging()).isFalse();
  }

  @Test
  void queuesAreNoLongerThanTheDevices() {
    long[] of = attributes();
    assertThat(QueuePairs.depth(limits(of))).isEqualTo(128);
    of[NativeVerbs.MAX_QP_WR] = 100;
    assertThat(QueuePairs.depth(limits(of))).isEqualTo(64);
    of[NativeVerbs.MAX_CQE] = 64;
    assertThat(QueuePairs.depth(limits(of))).isEqualTo(32);
  }

  @Test
  void aRefusedRegistrationNamesTheLimit() {
    DeviceLimits limits = limits(attributes());
    MemoryLock tiny = new MemoryLock(64 << 10, false);
    assertThat(Registrar.reason(limits, tiny, 3, 8192))
        .contains("64 KiB (ulimit -l)", "8 KiB are registered", "limits.conf", "LimitMEMLOCK");
    assertThat(Registrar.reason(limits, tiny, 1000, 8192)).contains("1000 memory regions");
    assertThat(Registrar.reason(limits, new MemoryLock(64 << 10, true), 3, 8192))
        .doesNotContain("ulimit");
  }
}
