package io.regionfs.meta;

/** What callers and replicas of the metadata service must agree upon. */
public final class MetadataProtocol {
  /** Sent with every request; a service answers no other: EPROTONOSUPPORT. */
  public static final int VERSION = 1;

  private MetadataProtocol() {}

  /** What a service that refuses a request of another version says. */
  public static String refusalOf(int version) {
    return "the request is of protocol version "
        + version
        + ", this metadata service speaks version "
        + VERSION;
  }
}
