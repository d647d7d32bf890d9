package io.regionfs.daemon;

import com.google.errorprone.annotations.MustBeClosed;
import io.regionfs.rpc.RpcHandler;
import io.regionfs.rpc.RpcServer;
import io.regionfs.rpc.RpcTransport;
import java.io.IOException;
import java.net.InetSocketAddress;

/** Opens listening ports, with messages that say what to do. */
final class Listening {
  private Listening() {}

  @MustBeClosed
  static RpcServer serve(RpcTransport transport, InetSocketAddress address, RpcHandler handler)
      throws IOException {
    try {
      return transport.serve(address, handler);
    } catch (IOException e) {
      throw cannotListen(address, e);
    }
  }

  static IOException cannotListen(InetSocketAddress address, IOException cause) {
    return new IOException(
        "cannot listen at "
            + Addresses.text(address)
            + ": "
            + cause.getMessage()
            + " (give another --listen)",
        cause);
  }
}
