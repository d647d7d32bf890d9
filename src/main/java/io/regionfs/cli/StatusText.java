package io.regionfs.cli;

import io.regionfs.daemon.Sizes;
import java.io.PrintWriter;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The answer to {@code status}, laid out for people. */
final class StatusText {
  private StatusText() {}

  static void print(Map<String, @Nullable Object> status, PrintWriter out) {
    Map<?, ?> node = map(status, "node");
    Map<?, ?> metadata = map(status, "metadata");
    Map<?, ?> capacity = map(status, "capacity");
    Map<?, ?> fabric = map(status, "fabric");
    line(out, "mount", node.get("mountPoint") + "  (process " + node.get("pid") + ")");
    line(
        out,
        "node",
        node.get("id")
            + " "
            + node.get("name")
            + ", calls at "
            + node.get("rpcAddress")
            + ", memory at "
            + node.get("dataAddress"));
    line(out, "requests", "from the kernel by " + node.get("transport"));
    line(out, "files here", "served " + node.get("filesAtHome"));
    line(out, "fabric", String.valueOf(fabric.get("description")));
    line(
        out,
        "metadata",
        Boolean.TRUE.equals(metadata.get("reachable"))
            ? metadata.get("leader")
                + (Boolean.TRUE.equals(metadata.get("embedded")) ? " (in this node)" : "")
                + ", "
                + metadata.get("inodes")
                + " inodes"
                + replicas(metadata)
            : "does not answer: " + metadata.get("error"));
    trouble(out, metadata);
    trouble(out, node);
    line(
        out,
        "lent here",
        used(capacity, "ownUsedBytes", "ownBytes")
            + " in "
            + node.get("memoryDirectory")
            + ("never".equals(fabric.get("hugePages"))
                ? ""
                : " (huge pages: " + fabric.get("hugePages") + ")"));
    if (capacity.containsKey("clusterBytes")) {
      line(out, "cluster", used(capacity, "clusterUsedBytes", "clusterBytes"));
    }
    FabricText.print(fabric, map(status, "regions"), out);
    line(out, "data calls", calls(map(status, "homeCalls")));
    nodes(list(status, "nodes"), out);
  }

  private static String replicas(Map<?, ?> metadata) {
    List<?> replicas = list(metadata, "replicas");
    if (replicas.size() < 2) {
      return "";
    }
    long answering =
        replicas.stream()
            .filter(r -> r instanceof Map<?, ?> one && Boolean.TRUE.equals(one.get("reachable")))
            .count();
    return ", leads in term "
        + metadata.get("term")
        + ", "
        + answering
        + " of "
        + replicas.size()
        + " replicas answer";
  }

  static void trouble(PrintWriter out, Map<?, ?> part) {
    if (part.get("trouble") instanceof String text && !text.isEmpty()) {
      line(out, "TROUBLE", text);
    }
  }

  private static void nodes(List<?> nodes, PrintWriter out) {
    if (nodes.isEmpty()) {
      return;
    }
    String form = "%-4s %-16s %-6s %10s %10s %8s  %-21s %s%n";
    out.println();
    out.printf(form, "node", "name", "state", "lends", "used", "regions", "calls at", "fabric");
    for (Object element : nodes) {
      if (element instanceof Map<?, ?> node) {
        out.printf(
            form,
            node.get("id"),
            node.get("name"),
            Boolean.TRUE.equals(node.get("alive")) ? "up" : "down",
            bytes(node.get("capacityBytes")),
            bytes(node.get("usedBytes")),
            node.get("regions"),
            node.get("rpcAddress"),
            node.get("fabric"));
      }
    }
  }

  private static String calls(Map<?, ?> calls) {
    StringBuilder text = new StringBuilder();
    calls.forEach(
        (kind, count) -> {
          if (!Long.valueOf(0).equals(count)) {
            text.append(text.length() == 0 ? "" : ", ").append(count).append(' ').append(kind);
          }
        });
    return text.length() == 0 ? "none answered" : text.toString();
  }

  private static String used(Map<?, ?> capacity, String used, String total) {
    return bytes(capacity.get(used)) + " used of " + bytes(capacity.get(total));
  }

  static String bytes(@Nullable Object value) {
    return value instanceof Long number ? Sizes.format(number) : "?";
  }

  /** A line without a label goes on from the one before. */
  static void line(PrintWriter out, String label, String text) {
    out.printf("%-11s %s%n", label.isEmpty() ? "" : label + ":", text);
  }

  static Map<?, ?> map(Map<?, ?> from, String key) {
    return from.get(key) instanceof Map<?, ?> map ? map : Map.of();
  }

  private static List<?> list(Map<?, ?> from, String key) {
    return from.get(key) instanceof List<?> list ? list : List.of();
  }
}
