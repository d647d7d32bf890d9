package io.regionfs.verbs.disni;

import io.regionfs.verbs.device.DeviceName;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Which device a process is to use.
 *
 * @param device null: the one that serves the process's address. Naming one is to insist on it
 */
public record FabricRequest(Wish wish, @Nullable DeviceName device, Pinning pinning) {
  /** What may be asked for. */
  public enum Wish {
    /** An RDMA device if one serves the address, else the software device. */
    AUTO,
    SOFT,
    /** An RDMA device or nothing. */
    VERBS
  }

  public FabricRequest {
    if (device != null && wish == Wish.SOFT) {
      throw new IllegalArgumentException("--rdma-device and --fabric soft exclude each other");
    }
  }

  public static FabricRequest soft() {
    return new FabricRequest(Wish.SOFT, null, Pinning.ON_DEMAND);
  }

  public static FabricRequest auto() {
    return new FabricRequest(Wish.AUTO, null, Pinning.ON_DEMAND);
  }

  public FabricRequest with(Pinning chosen) {
    return new FabricRequest(wish, device, chosen);
  }

  /** Nothing but an RDMA device will do. */
  public boolean insists() {
    return wish == Wish.VERBS || device != null;
  }

  /** The options that say the same. */
  public List<String> commandLine() {
    List<String> words = new ArrayList<>(List.of("--fabric", wish.name().toLowerCase(Locale.ROOT)));
    if (device != null) {
      words.addAll(List.of("--rdma-device", device.toString()));
    }
    if (pinning != Pinning.ON_DEMAND) {
      words.addAll(List.of("--pin", pinning.name().toLowerCase(Locale.ROOT)));
    }
    return words;
  }
}
