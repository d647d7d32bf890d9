package io.regionfs.metaserver;

import java.time.Duration;

/**
 * How a metadata service runs.
 *
 * @param clusterId names the cluster unless its state says how it was founded; random
 * @param name of this replica, for status: where it listens
 * @param lease how long a silent node stays a member
 * @param cacheLease how long a node that cannot be reached may go on answering from its cache, and
 *     so how long a change may have to wait for it; shorter than {@code lease}
 * @param sessionLease how long the answers to a silent client are kept
 */
public record MetadataOptions(
    String clusterId, String name, Duration lease, Duration cacheLease, Duration sessionLease) {
  public static final Duration DEFAULT_LEASE = Duration.ofSeconds(10);
  public static final Duration DEFAULT_SESSION_LEASE = Duration.ofHours(1);

  /**
   * A new leader may have to wait for a cache lease before it answers; with the time of an election
   * this stays within a few seconds.
   */
  private static final int CACHE_LEASES_PER_LEASE = 4;

  public MetadataOptions {
    if (clusterId.isEmpty() || name.isEmpty()) {
      throw new IllegalArgumentException("clusterId and name must not be empty");
    }
    if (lease.toMillis() < 1 || sessionLease.toMillis() < 1) {
      throw new IllegalArgumentException("leases must be at least 1 ms: " + lease);
    }
    if (cacheLease.isNegative() || cacheLease.compareTo(lease) > 0) {
      throw new IllegalArgumentException("cacheLease must be within the lease: " + cacheLease);
    }
  }

  /** With the usual leases of caches, a quarter of the nodes', and of clients. */
  public MetadataOptions(String clusterId, String name, Duration lease) {
    this(clusterId, name, lease, lease.dividedBy(CACHE_LEASES_PER_LEASE), DEFAULT_SESSION_LEASE);
  }
}
