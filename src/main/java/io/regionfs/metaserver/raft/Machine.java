package io.regionfs.metaserver.raft;

import com.alipay.sofa.jraft.Closure;
import com.alipay.sofa.jraft.Iterator;
import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.core.StateMachineAdapter;
import com.alipay.sofa.jraft.entity.LeaderChangeContext;
import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.error.RaftError;
import com.alipay.sofa.jraft.error.RaftException;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotReader;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotWriter;
import com.google.protobuf.InvalidProtocolBufferException;
import io.regionfs.metaserver.ReplicaGroup.Verified;
import io.regionfs.metaserver.raft.Appender.Applied;
import io.regionfs.metaserver.raft.Appender.Entry;
import io.regionfs.metaserver.state.Namespace;
import io.regionfs.metaserver.state.Replica;
import io.regionfs.proto.Batch;
import io.regionfs.proto.Command;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the engine tells one opened log: entries to apply, snapshots to take and to load, who leads.
 * All in one thread of the engine.
 */
final class Machine extends StateMachineAdapter {
  private static final Logger LOG = LoggerFactory.getLogger(Machine.class);

  private final Replica replica;
  private final Snapshots snapshots;
  private final Leaders leaders;
  private final Events events;

  /** Held while the commands of one entry are applied: between two entries nobody is halfway. */
  private final ReentrantLock betweenEntries = new ReentrantLock();

  private long lastEntry;

  /** What concerns more than the state; its methods don't wait. */
  interface Events {
    /** Every entry of earlier terms is applied. */
    void leads(long term);

    /** The engine takes no more entries. */
    void broke(String reason);
  }

  Machine(Replica replica, Snapshots snapshots, Leaders leaders, Events events) {
    this.replica = replica;
    this.snapshots = snapshots;
    this.leaders = leaders;
    this.events = events;
  }

  @Override
  public void onApply(Iterator entries) {
    while (entries.hasNext()) {
      Closure done = entries.done();
      if (done instanceof Entry own) {
        own.complete(apply(entries.getIndex(), own));
      } else if (!apply(entries)) {
        return;
      }
      entries.next();
    }
  }

  private List<Applied> apply(long index, Entry entry) {
    List<Applied> outcomes = new ArrayList<>(entry.size());
    betweenEntries.lock();
    try {
      for (int i = 0; i < entry.size(); i++) {
        outcomes.add(apply(entry.command(i)));
      }
      lastEntry = index;
    } finally {
      betweenEntries.unlock();
    }
    return outcomes;
  }

  /** An entry that another replica appended, or this one in an earlier life. */
  private boolean apply(Iterator entries) {
    Batch batch;
    try {
      batch = Batch.parseFrom(entries.getData());
    } catch (InvalidProtocolBufferException e) {
      entries.setErrorAndRollback(
          1, new Status(RaftError.EIO, "entry %d is no batch of commands", entries.getIndex()));
      return false;
    }
    betweenEntries.lock();
    try {
      batch.getCommandsList().forEach(this::apply);
      lastEntry = entries.getIndex();
    } finally {
      betweenEntries.unlock();
    }
    return true;
  }

  /** A bug in the namespace strikes every replica alike, so all go on. */
  private Applied apply(Command command) {
    try {
      return new Applied(replica.apply(command), null);
    } catch (RuntimeException e) {
      LOG.error("Could not apply {}", command.getOperation().getOperationCase(), e);
      return new Applied(null, e);
    }
  }

  /**
   * @param appliedIndex of the engine, which also counts entries that change nothing here
   */
  Verified verify(LongSupplier appliedIndex) {
    betweenEntries.lock();
    try {
      long index = Math.max(lastEntry, appliedIndex.getAsLong());
      return new Verified(index, replica.read(Namespace::fingerprint));
    } finally {
      betweenEntries.unlock();
    }
  }

  @Override
  public void onSnapshotSave(SnapshotWriter writer, Closure done) {
    snapshots.save(writer, done);
  }

  @Override
  public boolean onSnapshotLoad(SnapshotReader reader) {
    betweenEntries.lock();
    try {
      lastEntry = snapshots.load(reader);
      return true;
    } catch (IOException e) {
      LOG.error("Could not load the snapshot in {}", reader.getPath(), e);
      return false;
    } finally {
      betweenEntries.unlock();
    }
  }

  @Override
  public void onLeaderStart(long term) {
    events.leads(term);
  }

  @Override
  public void onLeaderStop(Status status) {
    leaders.nobody();
  }

  @Override
  public void onStartFollowing(LeaderChangeContext context) {
    PeerId leader = context.getLeaderId();
    leaders.follow(leader, context.getTerm());
  }

  @Override
  public void onStopFollowing(LeaderChangeContext context) {
    leaders.nobody();
  }

  @Override
  public void onShutdown() {
    leaders.nobody();
  }

  @Override
  public void onError(RaftException e) {
    leaders.nobody();
    events.broke(String.valueOf(e.getStatus().getErrorMsg()));
  }
}
