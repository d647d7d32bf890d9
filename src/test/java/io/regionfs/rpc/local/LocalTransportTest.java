package io.regionfs.rpc.local;

import io.regionfs.rpc.RpcContract;
import io.regionfs.rpc.RpcTransport;

class LocalTransportTest extends RpcContract {
  @Override
  protected RpcTransport createTransport() {
    return new LocalTransport();
  }
}
