package io.regionfs.meta;

/** What callers and replicas of the metadata service must agree upon. */
public final class MetadataProtocol {
  /** Sent with every request; a service answers no other: EPROTONOSUPPORT. */
  public static final int VERSION = 1;

  private MetadataProtocol() {}
}
