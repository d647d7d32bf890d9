package io.regionfs.metaserver;

import io.regionfs.metaserver.state.Replica;

class LocalLogTest extends ReplicatedLogContract {
  private final Replica replica = new Replica();
  private final LocalLog log = new LocalLog(replica);

  @Override
  protected ReplicatedLog log() {
    return log;
  }

  @Override
  protected Replica replica() {
    return replica;
  }
}
