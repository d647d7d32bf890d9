package io.regionfs.daemon;

import io.regionfs.proto.ReplicaAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The replicas of a metadata service as they are given on the command line: {@code
 * 1=IP:PORT,2=IP:PORT,…}. Numbers and addresses are unique.
 *
 * @param addresses where each answers calls, by its number
 */
public record Peers(TreeMap<Integer, InetSocketAddress> addresses) {
  /** The engine's own transport listens at the port after the one for calls. */
  private static final int HIGHEST_PORT = 65_532;

  Peers(Map<Integer, InetSocketAddress> addresses) {
    this(new TreeMap<>(addresses));
  }

  public static Peers single(int id, InetSocketAddress address) {
    return new Peers(Map.of(id, address));
  }

  /**
   * @throws IllegalArgumentException that names what is wrong
   */
  public static Peers parse(Collection<String> entries) {
    TreeMap<Integer, InetSocketAddress> addresses = new TreeMap<>();
    for (String text : entries) {
      Map.Entry<Integer, InetSocketAddress> entry = entry(text);
      InetSocketAddress before = addresses.put(entry.getKey(), entry.getValue());
      if (before != null) {
        throw new IllegalArgumentException(
            "replica " + entry.getKey() + " is listed twice: each needs a number of its own");
      }
      if (addresses.values().stream().filter(entry.getValue()::equals).count() > 1) {
        throw new IllegalArgumentException(
            "two replicas are listed at " + Addresses.text(entry.getValue()));
      }
    }
    return new Peers(addresses);
  }

  /** {@code ID=IP:PORT}. */
  public static Map.Entry<Integer, InetSocketAddress> entry(String text) {
    int equals = text.indexOf('=');
    if (equals <= 0) {
      throw new IllegalArgumentException("'" + text + "' is not ID=IP:PORT");
    }
    int id = id(text.substring(0, equals).strip());
    InetSocketAddress address = Addresses.service(text.substring(equals + 1).strip());
    if (address.getAddress().isAnyLocalAddress()) {
      throw new IllegalArgumentException(
          "'" + text + "': give the address that the other replicas and the nodes reach");
    }
    return Map.entry(id, withRoomAbove(address));
  }

  public static InetSocketAddress withRoomAbove(InetSocketAddress address) {
    if (address.getPort() > HIGHEST_PORT) {
      throw new IllegalArgumentException(
          "port " + address.getPort() + " is too high: the one after it is used too");
    }
    return address;
  }

  /** The number of a replica, from 1. */
  public static int id(String text) {
    try {
      int id = Integer.parseInt(text);
      if (id >= 1) {
        return id;
      }
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(notAnId(text), e);
    }
    throw new IllegalArgumentException(notAnId(text));
  }

  private static String notAnId(String text) {
    return "'" + text + "' is not the number of a replica: they count from 1";
  }

  /**
   * Checks the list against the replica that is given it.
   *
   * @param joins it will be taken in by a cluster that exists, so that the count does not matter
   */
  void check(int id, InetSocketAddress listen, boolean joins) {
    InetSocketAddress own = addresses.get(id);
    if (own == null) {
      throw new IllegalArgumentException(
          "--peers has no entry for this replica, --id " + id + ": it is " + text());
    }
    if (!own.equals(listen)) {
      throw new IllegalArgumentException(
          "--listen "
              + Addresses.text(listen)
              + " is not where --peers has replica "
              + id
              + ": "
              + Addresses.text(own));
    }
    if (!joins && addresses.size() != 1 && addresses.size() != 3 && addresses.size() != 5) {
      throw new IllegalArgumentException(
          "--peers lists "
              + addresses.size()
              + " replicas: give 1, 3 or 5, as an even number survives no more failures than one"
              + " less, and more than 5 only cost time (--join is for a replica that a cluster is to"
              + " take in)");
    }
  }

  int lowest() {
    return addresses.firstKey();
  }

  /** As the other replicas see it. */
  List<ReplicaAddress> messages() {
    List<ReplicaAddress> messages = new ArrayList<>();
    addresses.forEach(
        (id, address) ->
            messages.add(
                ReplicaAddress.newBuilder().setId(id).setAddress(Addresses.text(address)).build()));
    return messages;
  }

  static Peers of(List<ReplicaAddress> messages) {
    return parse(
        messages.stream().map(replica -> replica.getId() + "=" + replica.getAddress()).toList());
  }

  /** As it is given on the command line. */
  String text() {
    return addresses.entrySet().stream()
        .map(entry -> entry.getKey() + "=" + Addresses.text(entry.getValue()))
        .collect(Collectors.joining(","));
  }
}
