package io.regionfs.daemon;

import io.regionfs.verbs.disni.FabricRequest;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What a node is told when it starts; all paths are absolute.
 *
 * @param metadata the replicas of the service to join; empty: it has one of its own
 * @param listen where to answer, with port 0 for any; null: as it suits
 * @param memoryBytes most to lend; 0: half of what is free
 * @param memoryDirectory below which the node makes a directory for what it lends
 * @param name among the nodes; null: the host's name
 * @param metrics where to answer Prometheus; null: nowhere
 */
public record NodeOptions(
    Path mountPoint,
    List<InetSocketAddress> metadata,
    @Nullable InetSocketAddress listen,
    long memoryBytes,
    Path memoryDirectory,
    HugePageUse hugePages,
    Path stateDirectory,
    @Nullable String name,
    FabricRequest fabric,
    @Nullable InetSocketAddress metrics,
    MountFlags flags) {
  public NodeOptions {
    metadata = List.copyOf(metadata);
  }

  boolean ownsCluster() {
    return metadata.isEmpty();
  }

  /** The command line that {@link MountCommand} reads back to the same options. */
  public List<String> commandLine() {
    List<String> words = new ArrayList<>(List.of("mount"));
    if (!metadata.isEmpty()) {
      words.add("--meta");
      words.add(metadata.stream().map(Addresses::text).collect(Collectors.joining(",")));
    }
    if (listen != null) {
      words.add("--listen");
      words.add(
          listen.getPort() == 0 ? listen.getAddress().getHostAddress() : Addresses.text(listen));
    }
    if (memoryBytes != 0) {
      words.add("--memory");
      words.add(Long.toString(memoryBytes));
    }
    words.addAll(List.of("--memory-dir", memoryDirectory.toString()));
    words.addAll(List.of("--huge-pages", hugePages.word()));
    words.addAll(List.of("--state-dir", stateDirectory.toString()));
    if (name != null) {
      words.addAll(List.of("--name", name));
    }
    words.addAll(fabric.commandLine());
    if (metrics != null) {
      words.addAll(List.of("--metrics-listen", Addresses.text(metrics)));
    }
    if (!flags.text().isEmpty()) {
      words.addAll(List.of("-o", flags.text()));
    }
    words.addAll(List.of("--", mountPoint.toString()));
    return words;
  }
}
