package io.regionfs.cli;

import io.regionfs.daemon.CommandFailure;
import io.regionfs.verbs.device.DeviceName;
import io.regionfs.verbs.disni.FabricRequest;
import io.regionfs.verbs.disni.FabricSelection;
import io.regionfs.verbs.disni.Pinning;
import io.regionfs.verbs.soft.SoftDeviceOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Which device carries bytes and calls; mixed into every command that uses one. */
final class FabricOptions {
  @Spec(Spec.Target.MIXEE)
  private @Nullable CommandSpec spec;

  @Option(
      names = "--fabric",
      paramLabel = "auto|soft|verbs",
      description =
          "What moves bytes and calls: the RDMA device that serves this host's address (verbs), or"
              + " software over TCP (soft), or the first where there is one (auto). Default:"
              + " ${DEFAULT-VALUE}.",
      defaultValue = "auto")
  private FabricRequest.Wish wish = FabricRequest.Wish.AUTO;

  @Option(
      names = "--rdma-device",
      paramLabel = "NAME[:PORT]",
      description =
          "The RDMA device to use, and no other: as --fabric verbs. Default: the one that serves"
              + " the address.")
  private @Nullable String device;

  /**
   * Seats the device for this command alone, and says on stderr what the user must be told.
   *
   * @param address of this host
   */
  FabricSelection choose(InetAddress address) throws IOException {
    FabricSelection chosen =
        FabricSelection.choose(request(), address, SoftDeviceOptions.defaults());
    if (spec != null && !chosen.warning().isEmpty()) {
      PrintWriter err = spec.commandLine().getErr();
      err.println(spec.qualifiedName() + ": " + chosen.warning());
      err.flush();
    }
    return chosen;
  }

  FabricRequest request() {
    try {
      return new FabricRequest(
          wish, device == null ? null : DeviceName.parse(device), Pinning.ON_DEMAND);
    } catch (IllegalArgumentException e) {
      String text = String.valueOf(e.getMessage());
      throw spec == null
          ? new CommandFailure(text)
          : new ParameterException(spec.commandLine(), text);
    }
  }
}
