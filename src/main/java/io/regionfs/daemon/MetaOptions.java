package io.regionfs.daemon;

import io.regionfs.verbs.disni.FabricRequest;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a replica of a metadata service is told when it starts; all paths are absolute.
 *
 * @param peers all replicas, this one among them
 * @param joins it waits to be taken in by a cluster that exists
 * @param electionTimeout how long a leader may be silent
 * @param leaseReads see the option's description
 * @param minFreeBytes below that the service is read-only
 * @param metrics where to answer Prometheus; null: nowhere
 */
public record MetaOptions(
    int id,
    Peers peers,
    boolean joins,
    InetSocketAddress listen,
    Path stateDirectory,
    Duration electionTimeout,
    boolean leaseReads,
    boolean fsync,
    long minFreeBytes,
    @Nullable InetSocketAddress metrics,
    FabricRequest fabric) {
  private static final Duration SHORTEST_TIMEOUT = Duration.ofMillis(100);
  private static final Duration LONGEST_TIMEOUT = Duration.ofMinutes(1);

  public MetaOptions {
    peers.check(id, listen, joins);
    if (electionTimeout.compareTo(SHORTEST_TIMEOUT) < 0
        || electionTimeout.compareTo(LONGEST_TIMEOUT) > 0) {
      throw new IllegalArgumentException(
          "--election-timeout must be 100 to 60000 ms: " + electionTimeout.toMillis());
    }
  }

  /** The command line that {@link MetaCommand} reads back to the same options. */
  public List<String> commandLine() {
    List<String> words = new ArrayList<>(List.of("meta"));
    words.addAll(List.of("--id", Integer.toString(id), "--peers", peers.text()));
    if (joins) {
      words.add("--join");
    }
    words.addAll(List.of("--listen", Addresses.text(listen)));
    words.addAll(List.of("--state-dir", stateDirectory.toString()));
    words.addAll(List.of("--election-timeout", Long.toString(electionTimeout.toMillis())));
    if (leaseReads) {
      words.add("--lease-reads");
    }
    if (!fsync) {
      words.add("--no-fsync");
    }
    words.addAll(List.of("--min-free", Long.toString(minFreeBytes)));
    if (metrics != null) {
      words.addAll(List.of("--metrics-listen", Addresses.text(metrics)));
    }
    words.addAll(fabric.commandLine());
    return words;
  }
}
