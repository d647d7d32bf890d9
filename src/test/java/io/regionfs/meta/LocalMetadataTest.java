package io.regionfs.meta;

import io.regionfs.rpc.RpcTransport;
import io.regionfs.rpc.local.LocalTransport;

/** The contract of metadata inside one process. */
class LocalMetadataTest extends MetadataContract {
  @Override
  protected RpcTransport newTransport() {
    return new LocalTransport();
  }
}
