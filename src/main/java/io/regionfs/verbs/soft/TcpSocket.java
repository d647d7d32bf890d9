package io.regionfs.verbs.soft;

import io.regionfs.posix.LibC;
import io.regionfs.posix.Memory;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;

/** IPv4 stream sockets as descriptors, always non-blocking. The caller owns the descriptor. */
final class TcpSocket {
  static final int EINTR = 4;
  static final int EAGAIN = 11;
  static final int SHUT_WR = 1;
  static final int SHUT_RDWR = 2;
  private static final int EINPROGRESS = 115;
  private static final int SOL_SOCKET = 1;
  private static final int SO_REUSEADDR = 2;
  private static final int SO_ERROR = 4;
  private static final int SO_LINGER = 13;
  private static final int IPPROTO_TCP = 6;
  private static final int TCP_NODELAY = 1;
  private static final int TCP_USER_TIMEOUT = 18;
  private static final int ADDRESS_BYTES = 16;
  private static final LibC C = LibC.INSTANCE;

  private TcpSocket() {}

  static int open() throws IOException {
    return check(
        C.socket(LibC.AF_INET, LibC.SOCK_STREAM | LibC.SOCK_CLOEXEC | LibC.SOCK_NONBLOCK, 0),
        "socket");
  }

  /** Checks that an address is one that this device reaches. */
  static InetSocketAddress ipv4(SocketAddress address) throws IOException {
    if (address instanceof InetSocketAddress inet
        && inet.getAddress() instanceof Inet4Address
        && inet.getPort() >= 0) {
      return inet;
    }
    throw new IOException("soft verbs reach IPv4 addresses only: " + address);
  }

  static void bind(int fd, InetSocketAddress address) throws IOException {
    option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    long raw = toRaw(address);
    try {
      check(C.bind(fd, raw, ADDRESS_BYTES), "bind to " + address);
    } finally {
      Memory.free(raw);
    }
  }

  static void listen(int fd, int backlog) throws IOException {
    check(C.listen(fd, backlog), "listen");
  }

  /** The next waiting connection, or −1. */
  static int accept(int fd) {
    return C.accept4(fd, 0, 0, LibC.SOCK_CLOEXEC | LibC.SOCK_NONBLOCK);
  }

  /** Connects; returns errno, 0 for success. */
  static int connect(int fd, InetSocketAddress address, int timeoutMillis) throws IOException {
    long raw = toRaw(address);
    try {
      if (C.connect(fd, raw, ADDRESS_BYTES) == 0) {
        return 0;
      }
      int errno = LibC.errno();
      if (errno != EINPROGRESS) {
        return errno;
      }
      if (!await(fd, LibC.POLLOUT, timeoutMillis)) {
        return 110;
      }
      Memory.putInt(raw, 0);
      Memory.putInt(raw + 4, 4);
      check(C.getsockopt(fd, SOL_SOCKET, SO_ERROR, raw, raw + 4), "getsockopt");
      return Memory.getInt(raw);
    } finally {
      Memory.free(raw);
    }
  }

  /** Waits until the socket is ready or has failed; false after the timeout. */
  static boolean await(int fd, int events, int timeoutMillis) {
    long deadline = System.nanoTime() + timeoutMillis * 1_000_000L;
    long raw = Memory.allocate(8);
    try {
      for (; ; ) {
        long left = Math.max(0, (deadline - System.nanoTime() + 999_999) / 1_000_000);
        Memory.putInt(raw, fd);
        Memory.putInt(raw + 4, events);
        int ready = C.poll(raw, 1, (int) left);
        if (ready > 0) {
          return true;
        }
        if (ready == 0 || LibC.errno() != EINTR) {
          return false;
        }
      }
    } finally {
      Memory.free(raw);
    }
  }

  /** What every connection wants: no delay of small frames, and an end when the peer is gone. */
  static void tune(int fd, int peerTimeoutMillis) throws IOException {
    option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, peerTimeoutMillis);
  }

  /** Closes with a reset, so that the peer sees a failure and nothing lingers. */
  static void reset(int fd) {
    long raw = Memory.allocate(8);
    Memory.putInt(raw, 1);
    Memory.putInt(raw + 4, 0);
    C.setsockopt(fd, SOL_SOCKET, SO_LINGER, raw, 8);
    Memory.free(raw);
    C.close(fd);
  }

  /** Sends a short message on a fresh socket, whose buffer is empty; false if it didn't go. */
  static boolean sendAll(int fd, byte[] message) {
    long raw = Memory.allocate(message.length);
    try {
      Memory.put(raw, message, 0, message.length);
      return C.send(fd, raw, message.length, LibC.MSG_NOSIGNAL) == message.length;
    } finally {
      Memory.free(raw);
    }
  }

  static InetSocketAddress localAddress(int fd) throws IOException {
    return address(fd, true);
  }

  static InetSocketAddress peerAddress(int fd) throws IOException {
    return address(fd, false);
  }

  private static InetSocketAddress address(int fd, boolean local) throws IOException {
    long raw = Memory.allocate(ADDRESS_BYTES + 8);
    try {
      Memory.putInt(raw + ADDRESS_BYTES, ADDRESS_BYTES);
      int result =
          local
              ? C.getsockname(fd, raw, raw + ADDRESS_BYTES)
              : C.getpeername(fd, raw, raw + ADDRESS_BYTES);
      check(result, "socket address");
      byte[] ip = new byte[4];
      Memory.get(raw + 4, ip, 0, 4);
      int port = Short.reverseBytes(Memory.getShort(raw + 2)) & 0xffff;
      return new InetSocketAddress(InetAddress.getByAddress(ip), port);
    } finally {
      Memory.free(raw);
    }
  }

  private static long toRaw(InetSocketAddress address) {
    long raw = Memory.allocate(ADDRESS_BYTES);
    Memory.fill(raw, ADDRESS_BYTES, (byte) 0);
    Memory.putShort(raw, (short) LibC.AF_INET);
    Memory.putShort(raw + 2, Short.reverseBytes((short) address.getPort()));
    Memory.put(raw + 4, address.getAddress().getAddress(), 0, 4);
    return raw;
  }

  private static void option(int fd, int level, int name, int value) throws IOException {
    long raw = Memory.allocate(4);
    try {
      Memory.putInt(raw, value);
      check(C.setsockopt(fd, level, name, raw, 4), "setsockopt");
    } finally {
      Memory.free(raw);
    }
  }

  static int check(int result, String what) throws IOException {
    if (result < 0) {
      int errno = LibC.errno();
      throw new IOException(what + ": errno " + errno + describe(errno));
    }
    return result;
  }

  static String describe(int errno) {
    return switch (errno) {
      case 13 -> " (permission denied)";
      case 24 -> " (too many open files)";
      case 98 -> " (address already in use)";
      case 99 -> " (no such local address)";
      case 101 -> " (network is unreachable)";
      case 110 -> " (timed out)";
      case 111 -> " (connection refused)";
      case 113 -> " (no route to host)";
      default -> "";
    };
  }
}
