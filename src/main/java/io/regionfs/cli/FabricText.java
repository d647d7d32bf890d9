package io.regionfs.cli;

import java.io.PrintWriter;
import java.util.Map;

/** A node's device in the answer to {@code status}, laid out for people. */
final class FabricText {
  private static final int SOFTWARE_PORT = 0;

  private FabricText() {}

  static void print(Map<?, ?> fabric, Map<?, ?> regions, PrintWriter out) {
    StatusText.trouble(out, fabric);
    StatusText.line(
        out,
        "pinned",
        StatusText.bytes(regions.get("pinnedBytes"))
            + " of "
            + StatusText.bytes(fabric.get("pinnedLimitBytes"))
            + " for other hosts to reach, "
            + StatusText.bytes(fabric.get("registeredBytes"))
            + " registered in all");
    if (Long.valueOf(SOFTWARE_PORT).equals(fabric.get("port"))) {
      return;
    }
    StatusText.line(
        out,
        "device",
        fabric.get("registrations")
            + " of "
            + fabric.get("registrationsLimit")
            + " memory regions, locked memory "
            + fabric.get("memoryLock")
            + (Boolean.TRUE.equals(fabric.get("onDemandPaging")) ? ", paging on demand" : ""));
    StatusText.line(
        out,
        "",
        "MTU "
            + fabric.get("mtu")
            + ", inline "
            + fabric.get("inlineBytes")
            + ", queues of "
            + fabric.get("queueDepth")
            + ", completion queues of "
            + fabric.get("completionQueueDepth")
            + ", "
            + fabric.get("readsAndAtomics")
            + " reads at a time, atomics: "
            + fabric.get("atomics"));
  }
}
