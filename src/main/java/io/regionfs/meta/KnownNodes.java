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
  private final Supplier<List<Node>> list;
  private volatile @Nullable Listing listing;
  private volatile long version;

  private record Listing(Map<NodeId, Node> nodes, long version, long heardNanos) {}

  /**
   * @param tryToList asks the service, shortly; null if it does not answer
   * @param list asks the service until it answers
   */
  KnownNodes(Supplier<@Nullable List<Node>> tryToList, Supplier<List<Node>> list) {
    this.tryToList = tryToList;
    this.list = list;
  }

  /** The service's list has this version now. */
  void version(long now) {
    version = now;
  }

  /** Null if there is no such node. */
  @Nullable Node find(NodeId id) {
    Listing known = listing;
    if (known != null && !isStale(known)) {
      Node node = known.nodes.get(id);
      if (node != null) {
        return node;
      }
    }
    long asked = version;
    List<Node> nodes = tryToList.get();
    if (nodes != null) {
      return heard(nodes, asked).nodes.get(id);
    }
    Node node = known == null ? null : known.nodes.get(id);
    return node == null ? heard(list.get(), asked).nodes.get(id) : node;
  }

  private boolean isStale(Listing known) {
    return known.version != version || System.nanoTime() - known.heardNanos > FRESH.toNanos();
  }

  private Listing heard(List<Node> nodes, long version) {
    Map<NodeId, Node> byId =
        nodes.stream().collect(Collectors.toUnmodifiableMap(Node::id, Function.identity()));
    Listing fresh = new Listing(byId, version, System.nanoTime());
    listing = fresh;
    return fresh;
  }
}
