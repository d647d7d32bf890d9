package io.regionfs.metaserver.raft;

import com.alipay.sofa.jraft.rpc.RpcServer;
import com.alipay.sofa.jraft.rpc.impl.BoltRaftRpcFactory;
import com.alipay.sofa.jraft.rpc.impl.BoltRpcServer;
import com.alipay.sofa.jraft.util.Endpoint;
import com.alipay.sofa.jraft.util.SPI;

/**
 * Makes both ends of the engine's own connections; the engine finds it through META-INF/services.
 * Whoever secures them does it here: clients in {@code createRpcClient}, servers below.
 */
@SPI(name = "regionfs", priority = 1)
public final class Transport extends BoltRaftRpcFactory {
  /** A server at this one address; the engine's own would listen at all of the host. */
  @Override
  public RpcServer createRpcServer(Endpoint endpoint, ConfigHelper<RpcServer> helper) {
    com.alipay.remoting.rpc.RpcServer bolt =
        new com.alipay.remoting.rpc.RpcServer(endpoint.getIp(), endpoint.getPort(), true);
    RpcServer server = new BoltRpcServer(bolt);
    if (helper != null) {
      helper.config(server);
    }
    return server;
  }
}
