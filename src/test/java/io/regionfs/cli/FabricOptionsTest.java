package io.regionfs.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.regionfs.verbs.device.DeviceName;
import io.regionfs.verbs.disni.FabricRequest;
import io.regionfs.verbs.disni.FabricRequest.Wish;
import io.regionfs.verbs.disni.Pinning;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParameterException;

class FabricOptionsTest {
  @Command(name = "one")
  private static final class One {
    @Mixin private final FabricOptions fabric = new FabricOptions();
  }

  private static FabricRequest parsed(String... words) {
    One one = new One();
    new CommandLine(one).setCaseInsensitiveEnumValuesAllowed(true).parseArgs(words);
    return one.fabric.request();
  }

  @Test
  void aProcessInTheBackgroundIsToldTheSame() {
    for (FabricRequest request :
        new FabricRequest[] {
          FabricRequest.auto(),
          FabricRequest.soft(),
          new FabricRequest(Wish.VERBS, null, Pinning.ON_DEMAND),
          new FabricRequest(Wish.AUTO, new DeviceName("siw0", 0), Pinning.ON_DEMAND),
          new FabricRequest(Wish.VERBS, new DeviceName("mlx5_1", 2), Pinning.ON_DEMAND)
        }) {
      assertThat(parsed(request.commandLine().toArray(String[]::new))).isEqualTo(request);
    }
  }

  @Test
  void namingADeviceIsToInsistOnIt() {
    assertThat(parsed().insists()).isFalse();
    assertThat(parsed("--fabric", "verbs").insists()).isTrue();
    assertThat(parsed("--rdma-device", "siw0").insists()).isTrue();
  }

  @Test
  void contradictionsAreWrongUsage() {
    assertThatThrownBy(() -> parsed("--fabric", "soft", "--rdma-device", "siw0"))
        .isInstanceOf(ParameterException.class);
    assertThatThrownBy(() -> parsed("--rdma-device", "siw0:x"))
        .isInstanceOf(ParameterException.class);
  }
}
