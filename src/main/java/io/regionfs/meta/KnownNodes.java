package io.regionfs.meta;

import io.regionfs.model.NodeId;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The list of nodes as it was heard less than a second ago. While the service is away the last one
 * known is used, so that nodes find each other without it.
 */
final class KnownNodes {
  private static final Duration FRESH = Duration.ofSeconds(1);

  private final Supplier<@Nullable List<Node>> tryToList;
  private volatile @Nullable Listing listing;
  private volatile long version;

  private record Listing(Map<NodeId, Node> nodes, long version, long heardNanos) {}

  /**
   * @param tryToList asks the service, shortly; null if it does not answer
   */
  KnownNodes(Supplier<@Nullable List<Node>> tryToList) {
    this.tryToList = tryToList;
  }

  /** The service's list has this version now. */
  void version(long now) {
    version = now;
  }

  /** Null if there is no such node, or nothing is known because the service never answered. */
  @Nullable Node find(NodeId id) {
    Listing known = listing;
    if (known == null || isStale(known)) {
      known = refreshed(known);
    }
    return known == null ? null : known.nodes.get(id);
  }

  private boolean isStale(Listing known) {
    return known.version != version || System.nanoTime() - known.heardNanos > FRESH.toNanos();
  }

  private @Nullable Listing refreshed(@Nullable Listing old) {
    long asked = version;
    List<Node> nodes = tryToList.get();
    if (nodes == null) {
      return old;
    }
    Listing fresh =
        new Listing(
            nodes.stream().collect(Collectors.toUnmodifiableMap(Node::id, Function.identity())),
            asked,
            System.nanoTime());
    listing = fresh;
    return fresh;
  }
}
