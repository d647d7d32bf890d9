package io.regionfs.daemon;

import com.google.errorprone.annotations.MustBeClosed;
import io.regionfs.rpc.darpc.DarpcOptions;
import io.regionfs.rpc.darpc.DarpcTransport;
import io.regionfs.verbs.disni.FabricSelection;

/** Makes the transport of calls for the device that was chosen. */
public final class Calls {
  private Calls() {}

  /** On an RDMA device calls leave by it, as transfers do; the software device has no own way. */
  @MustBeClosed
  public static DarpcTransport over(FabricSelection fabric) {
    return new DarpcTransport(
        DarpcOptions.defaults().within(fabric.workRequests(), fabric.completions()),
        fabric.device() == FabricSelection.Device.VERBS ? fabric.address() : null);
  }
}
