package io.regionfs.daemon;

import io.regionfs.region.LentMemoryOptions;
import io.regionfs.verbs.DeviceLimits;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.FabricListener;
import io.regionfs.verbs.device.MemoryLock;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a node says of its device: what it is, how much of its limits is used, what ails it.
 *
 * @param lent with the limits of what is registered for other hosts
 * @param hugePages the policy of the memory directory's filesystem
 */
record FabricReport(
    Fabric fabric, FabricListener listener, LentMemoryOptions lent, String hugePages) {
  Map<String, @Nullable Object> now() {
    DeviceLimits limits = fabric.limits();
    Map<String, @Nullable Object> answer = new LinkedHashMap<>();
    answer.put("description", fabric.description());
    answer.put("trouble", fabric.trouble());
    answer.put("device", limits.device());
    answer.put("port", (long) limits.port());
    answer.put("transport", limits.transport());
    answer.put("atomics", limits.atomics().name().toLowerCase(Locale.ROOT));
    answer.put("onDemandPaging", limits.onDemandPaging());
    answer.put("mtu", (long) limits.mtu());
    answer.put("inlineBytes", (long) limits.inlineBytes());
    answer.put("queueDepth", (long) limits.workRequests());
    answer.put("completionQueueDepth", (long) limits.completions());
    answer.put("readsAndAtomics", (long) limits.readsAndAtomics());
    answer.put("registrations", fabric.registrations());
    answer.put("registrationsLimit", limits.registrations());
    answer.put("registeredBytes", fabric.registeredBytes());
    answer.put("pinnedLimitBytes", lent.pinBudgetBytes());
    answer.put("exposuresLimit", (long) lent.maxExposures());
    answer.put("memoryLock", memoryLock());
    answer.put("hugePages", hugePages);
    answer.put("connectionsFromOthers", listener.connectionsFromOthers());
    return answer;
  }

  private static String memoryLock() {
    try {
      return MemoryLock.ofThisProcess().text();
    } catch (IOException e) {
      return "unknown: " + e.getMessage();
    }
  }
}
