package io.regionfs.metaserver;

import java.time.Duration;

/**
 * How a metadata service runs.
 *
 * @param clusterId names the cluster for as long as its namespace exists; random
 * @param name of this replica, for status: where it listens
 * @param lease how long a silent node stays a member
 */
public record MetadataOptions(String clusterId, String name, Duration lease) {
  public static final Duration DEFAULT_LEASE = Duration.ofSeconds(10);

  public MetadataOptions {
    if (clusterId.isEmpty() || name.isEmpty()) {
      throw new IllegalArgumentException("clusterId and name must not be empty");
    }
    if (lease.toMillis() < 1) {
      throw new IllegalArgumentException("lease must be at least 1 ms: " + lease);
    }
  }
}
