package io.regionfs.metaserver.raft;

import com.alipay.sofa.jraft.entity.PeerId;
import io.regionfs.metaserver.ReplicatedLog.Leadership;
import java.util.function.Consumer;

/** Who leads, as this replica knows it. Changed by one thread at a time, read by many. */
final class Leaders {
  private final RaftOptions options;
  private final String ownAddress;
  private volatile Leadership known = new Leadership(false, 0, "");
  private volatile int leaderId;
  private volatile Consumer<Leadership> listener = leadership -> {};

  Leaders(RaftOptions options) {
    this.options = options;
    this.ownAddress = Voters.address(Voters.self(options), options);
  }

  Leadership known() {
    return known;
  }

  /** Id of the leader; 0: none known. */
  int leaderId() {
    return leaderId;
  }

  /** For the one listener. */
  void listen(Consumer<Leadership> newListener) {
    listener = newListener;
  }

  void lead(long term) {
    become(options.id(), new Leadership(true, term, ownAddress));
  }

  void follow(PeerId leader, long term) {
    become(Voters.id(leader), new Leadership(false, term, Voters.address(leader, options)));
  }

  void nobody() {
    become(0, new Leadership(false, known.term(), ""));
  }

  private synchronized void become(int id, Leadership leadership) {
    if (leadership.equals(known)) {
      return;
    }
    leaderId = id;
    known = leadership;
    listener.accept(leadership);
  }
}
