package io.regionfs.daemon;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.util.Arrays;

/** Addresses as they are given on the command line. DiSNI knows IPv4 only, and so do we. */
public final class Addresses {
  /**
   * Where a node or a metadata service listens unless told otherwise; the next port is for data.
   */
  public static final int DEFAULT_PORT = 7470;

  private Addresses() {}

  /** HOST:PORT of a service; the host is resolved now. */
  public static InetSocketAddress service(String text) {
    int colon = text.lastIndexOf(':');
    if (colon <= 0) {
      throw new IllegalArgumentException("'" + text + "' is not HOST:PORT");
    }
    int port = port(text.substring(colon + 1), 1);
    return new InetSocketAddress(resolve(text.substring(0, colon)), port);
  }

  /**
   * IP[:PORT] to listen at.
   *
   * @return with port 0 if none was given
   */
  public static InetSocketAddress listen(String text) {
    int colon = text.lastIndexOf(':');
    InetAddress address = resolve(colon < 0 ? text : text.substring(0, colon));
    if (address.isAnyLocalAddress()) {
      throw new IllegalArgumentException(
          "listening at every address is not possible: give the one that the other hosts reach");
    }
    return new InetSocketAddress(address, colon < 0 ? 0 : port(text.substring(colon + 1), 1));
  }

  private static InetAddress resolve(String host) {
    if (host.isEmpty() || host.indexOf(':') >= 0) {
      throw new IllegalArgumentException("'" + host + "' is not an IPv4 address or a host name");
    }
    try {
      return Arrays.stream(InetAddress.getAllByName(host))
          .filter(Inet4Address.class::isInstance)
          .findFirst()
          .orElseThrow(() -> new UnknownHostException(host));
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException("host '" + host + "' has no IPv4 address", e);
    }
  }

  private static int port(String text, int least) {
    try {
      int port = Integer.parseInt(text);
      if (port >= least && port <= 65535) {
        return port;
      }
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("'" + text + "' is not a port number", e);
    }
    throw new IllegalArgumentException("port " + text + " is not between " + least + " and 65535");
  }

  /** This host's address on the way to a peer: what the peer can reach us at. */
  public static InetAddress towards(InetSocketAddress peer) {
    try (DatagramSocket socket = new DatagramSocket()) {
      socket.connect(peer); // sends nothing: it only asks for the route
      return socket.getLocalAddress();
    } catch (IOException | RuntimeException e) {
      throw new CommandFailure("no route to " + text(peer) + ": " + e.getMessage(), e);
    }
  }

  /** Whether a server could listen at this port and the next one now. */
  public static boolean pairIsFree(InetAddress address, int port) {
    return isFree(address, port) && isFree(address, port + 1);
  }

  /** Whether one of this host's interfaces has it. */
  public static boolean isOfThisHost(InetAddress address) {
    try {
      return NetworkInterface.getByInetAddress(address) != null;
    } catch (SocketException e) {
      return false;
    }
  }

  static boolean isFree(InetAddress address, int port) {
    try (ServerSocket socket = new ServerSocket(port, 1, address)) {
      return socket.isBound();
    } catch (IOException e) {
      return false;
    }
  }

  public static String text(InetSocketAddress address) {
    InetAddress ip = address.getAddress();
    return (ip == null ? address.getHostString() : ip.getHostAddress()) + ":" + address.getPort();
  }
}
