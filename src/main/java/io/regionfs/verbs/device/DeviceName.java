package io.regionfs.verbs.device;

/**
 * A device as people name it: NAME or NAME:PORT.
 *
 * @param port from 1; 0: any
 */
public record DeviceName(String device, int port) {
  public DeviceName {
    if (!device.matches("[A-Za-z0-9._-]{1,64}") || port < 0) {
      throw new IllegalArgumentException("'" + device + "' is not the name of an RDMA device");
    }
  }

  public static DeviceName parse(String text) {
    int colon = text.indexOf(':');
    if (colon < 0) {
      return new DeviceName(text, 0);
    }
    String port = text.substring(colon + 1);
    if (!port.matches("[1-9][0-9]{0,2}")) {
      throw new IllegalArgumentException("'" + text + "' is not NAME or NAME:PORT, as mlx5_0:1");
    }
    return new DeviceName(text.substring(0, colon), Integer.parseInt(port));
  }

  /** What {@link #parse} reads. */
  @Override
  public String toString() {
    return port == 0 ? device : device + ":" + port;
  }
}
