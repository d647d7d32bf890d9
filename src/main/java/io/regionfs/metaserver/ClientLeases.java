package io.regionfs.metaserver;

import io.regionfs.metaserver.state.Namespace;
import io.regionfs.metaserver.state.Replica;
import io.regionfs.proto.EndSessions;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Reply;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * When this leader last heard of each client that has a session. A client that was silent for the
 * whole session lease will not repeat a command any more: its session ends.
 */
final class ClientLeases {
  private static final Logger LOG = LoggerFactory.getLogger(ClientLeases.class);

  /** Keeps a command within a message. */
  private static final int MOST_AT_ONCE = 1000;

  /** Sessions are looked at this often per lease. */
  private static final int SWEEPS_PER_LEASE = 20;

  private final Duration lease;
  private final Replica replica;
  private final Proposals proposals;
  private final InstantSource clock;
  private final Map<Long, Instant> heard = new ConcurrentHashMap<>();

  /** Used by the one thread that sweeps. */
  private Instant lastSweep;

  /** Who was never heard of in this term counts from here. */
  private Instant start;

  /** What calls are noted with: no need to read a clock for each. */
  private volatile Instant now;

  ClientLeases(Duration lease, Replica replica, Proposals proposals, InstantSource clock) {
    this.lease = lease;
    this.replica = replica;
    this.proposals = proposals;
    this.clock = clock;
    this.now = clock.instant();
    this.start = now;
    this.lastSweep = now;
  }

  /** Any call of the client. */
  void heard(long client) {
    Instant tick = now;
    if (client != 0 && !tick.equals(heard.get(client))) {
      heard.put(client, tick);
    }
  }

  /** Ends the sessions of clients that were silent for too long. */
  @SuppressWarnings("FutureReturnValueIgnored") // a session that did not end is met again
  void sweep() {
    Instant instant = clock.instant();
    now = instant;
    Duration passed = Duration.between(lastSweep, instant);
    if (passed.compareTo(lease.dividedBy(SWEEPS_PER_LEASE)) < 0) {
      return;
    }
    lastSweep = instant;
    if (passed.compareTo(lease.dividedBy(2)) > 0) {
      // This process stood still: calls may be waiting that it has not read.
      start = instant;
      heard.clear();
      return;
    }
    List<Long> silent = silent(instant);
    if (!silent.isEmpty()) {
      end(silent).whenComplete((reply, failure) -> report(silent, failure));
    }
  }

  private List<Long> silent(Instant instant) {
    List<Long> clients = replica.read(Namespace::clients);
    List<Long> silent = new ArrayList<>();
    for (long client : clients) {
      Instant last = heard.getOrDefault(client, start);
      if (silent.size() < MOST_AT_ONCE && isOver(last, instant)) {
        silent.add(client);
      }
    }
    heard.values().removeIf(last -> isOver(last, instant));
    return silent;
  }

  private boolean isOver(Instant last, Instant instant) {
    return Duration.between(last, instant).compareTo(lease) > 0;
  }

  private CompletableFuture<Reply> end(List<Long> clients) {
    return proposals.propose(
        Operation.newBuilder()
            .setEndSessions(EndSessions.newBuilder().addAllClients(clients))
            .build());
  }

  private static void report(List<Long> clients, @Nullable Throwable failure) {
    if (failure == null) {
      LOG.info("The sessions of {} silent clients ended", clients.size());
    } else {
      LOG.warn(
          "The sessions of {} silent clients did not end; trying again", clients.size(), failure);
    }
  }
}
