package io.regionfs.fuse;

/**
 * What brings requests to a mount.
 *
 * @param transport never {@link Transport#AUTO}
 * @param reason why, for people
 */
public record TransportChoice(Transport transport, String reason) {
  @Override
  public String toString() {
    return transport.text() + " (" + reason + ")";
  }
}
