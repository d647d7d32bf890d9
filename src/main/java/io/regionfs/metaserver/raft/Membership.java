package io.regionfs.metaserver.raft;

import com.alipay.sofa.jraft.Closure;
import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.core.NodeImpl;
import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.error.RaftError;
import io.regionfs.metaserver.ReplicatedLog.NotLeading;
import io.regionfs.metaserver.raft.RaftOptions.Role;
import io.regionfs.proto.AdministrationReply;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Who keeps the log together. Changes go through the log, one at a time. */
final class Membership {
  private static final Logger LOG = LoggerFactory.getLogger(Membership.class);
  private static final long LOOK_MILLIS = 20;
  private static final int TRANSFER_TIMEOUTS = 5;

  /** How long a replica that is to be added may take to be found. */
  private static final Duration CATCH_UP = Duration.ofSeconds(10);

  private final RaftOptions options;
  private final Lives lives;
  private final Leaders leaders;

  Membership(RaftOptions options, Lives lives, Leaders leaders) {
    this.options = options;
    this.lives = lives;
    this.leaders = leaders;
  }

  AdministrationReply status() {
    AdministrationReply.Builder status =
        AdministrationReply.newBuilder()
            .setClusterId(options.clusterId())
            .setId(options.id())
            .setTerm(leaders.known().term())
            .setLeader(leaders.leaderId())
            .setTrouble(lives.trouble())
            .setLogBytes(bytesOnDisk());
    Engine engine = lives.engine();
    if (engine != null) {
      engine.voters().listPeers().stream()
          .map(voter -> Voters.message(voter, options))
          .sorted((a, b) -> Integer.compare(a.getId(), b.getId()))
          .forEach(status::addVoters);
      status
          .setAppliedIndex(engine.node().getLastAppliedLogIndex())
          .setLastLogIndex(engine.node().getLastLogIndex())
          .setSnapshotIndex(engine.snapshotIndex());
    }
    return status.build();
  }

  private long bytesOnDisk() {
    try (Stream<Path> files = Files.walk(options.directory())) {
      return files
          .map(Path::toFile)
          .filter(file -> !file.isDirectory())
          .mapToLong(java.io.File::length)
          .sum();
    } catch (IOException | UncheckedIOException e) {
      LOG.debug("Files come and go in {}", options.directory(), e);
      return 0;
    }
  }

  CompletableFuture<Void> add(int id, String address) {
    PeerId added;
    try {
      added = Voters.peer(id, parse(address));
    } catch (IllegalArgumentException e) {
      return CompletableFuture.failedFuture(e);
    }
    CompletableFuture<Void> outcome = new CompletableFuture<>();
    tryToAdd(id, address, added, System.nanoTime() + CATCH_UP.toNanos(), outcome);
    return outcome;
  }

  /**
   * The engine gives up a new replica when a first connection takes longer than an election: on a
   * slow machine the next attempt finds it.
   */
  @SuppressWarnings("FutureReturnValueIgnored") // the task ends in the outcome
  private void tryToAdd(
      int id, String address, PeerId added, long deadline, CompletableFuture<Void> outcome) {
    addOnce(id, address, added)
        .whenComplete(
            (nothing, failure) -> {
              if (failure == null) {
                outcome.complete(null);
              } else if (failure instanceof NotCaughtUp && System.nanoTime() - deadline < 0) {
                try {
                  long pause = options.electionTimeout().toMillis();
                  Runnable again = () -> tryToAdd(id, address, added, deadline, outcome);
                  lives.watch().schedule(again, pause, TimeUnit.MILLISECONDS);
                } catch (RejectedExecutionException e) {
                  outcome.completeExceptionally(new IOException("the log was closed", e));
                }
              } else {
                outcome.completeExceptionally(failure);
              }
            });
  }

  private CompletableFuture<Void> addOnce(int id, String address, PeerId added) {
    return change(
        (engine, done) -> {
          if (id < 1) {
            throw new IllegalArgumentException("ids of replicas start at 1");
          }
          if (options.role() == Role.HERMIT) {
            throw new IllegalArgumentException(
                "the metadata service inside a mount keeps its log alone");
          }
          for (PeerId voter : voters(engine)) {
            if (Voters.id(voter) == id) {
              throw new IllegalArgumentException("there is a replica " + id + " already");
            }
            if (voter.getEndpoint().equals(added.getEndpoint())) {
              throw new IllegalArgumentException(
                  "replica " + Voters.id(voter) + " has the address " + address);
            }
          }
          lives.groupMayGrow();
          engine.node().addPeer(added, status -> done.run(explained(status, id, address)));
        });
  }

  private static Status explained(Status status, int id, String address) {
    if (status.getRaftError() != RaftError.ECATCHUP) {
      return status;
    }
    return new Status(
        RaftError.ECATCHUP,
        "replica %d at %s could not catch up: it has to run there with this number, --join and the"
            + " --peers of this cluster; its own log says what it waits for",
        id,
        address);
  }

  /** A replica that is to be added does not answer, or not fast enough. */
  private static final class NotCaughtUp extends IOException {
    private static final long serialVersionUID = 1;

    NotCaughtUp(String message) {
      super(message);
    }
  }

  private static InetSocketAddress parse(String address) {
    URI uri = URI.create("//" + address);
    if (uri.getHost() == null || uri.getPort() < 1) {
      throw new IllegalArgumentException("not IP:PORT: " + address);
    }
    InetSocketAddress parsed = new InetSocketAddress(uri.getHost(), uri.getPort());
    if (parsed.isUnresolved()) {
      throw new IllegalArgumentException("unknown host: " + address);
    }
    return parsed;
  }

  /** After an election time-out, in which the leader notices who does not work. */
  @SuppressWarnings("FutureReturnValueIgnored") // the task ends in the outcome
  CompletableFuture<Void> remove(int id) {
    CompletableFuture<Void> outcome = new CompletableFuture<>();
    Runnable removal =
        () ->
            change((engine, done) -> remove(engine, id, done))
                .whenComplete(
                    (removed, failure) -> {
                      if (failure == null) {
                        outcome.complete(null);
                      } else {
                        outcome.completeExceptionally(failure);
                      }
                    });
    try {
      long noticed = options.electionTimeout().toMillis();
      lives.watch().schedule(removal, noticed, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      outcome.completeExceptionally(new IOException("the log was closed", e));
    }
    return outcome;
  }

  private static void remove(Engine engine, int id, Closure done) {
    PeerId removed = find(engine, id);
    List<PeerId> working = engine.node().listAlivePeers();
    long left = working.stream().filter(peer -> !peer.equals(removed)).count();
    int voters = voters(engine).size() - 1;
    if (left * 2 <= voters) {
      throw new IllegalArgumentException(
          String.format("without replica %d only %d of %d would work", id, left, voters));
    }
    engine.node().removePeer(removed, done);
  }

  private interface Change {
    /** Throws IllegalArgumentException if it makes no sense. */
    void start(Engine engine, Closure done);
  }

  private CompletableFuture<Void> change(Change change) {
    Engine engine = lives.engine();
    if (engine == null || !leaders.known().leads()) {
      return notLeading();
    }
    CompletableFuture<Void> outcome = new CompletableFuture<>();
    try {
      change.start(
          engine,
          status -> {
            lives.measureGroup();
            settle(outcome, status);
          });
    } catch (IllegalArgumentException e) {
      lives.measureGroup();
      outcome.completeExceptionally(e);
    } catch (IllegalStateException e) {
      return notLeading(); // since a moment ago
    }
    return outcome;
  }

  private CompletableFuture<Void> notLeading() {
    return CompletableFuture.failedFuture(new NotLeading("does not lead: " + leaders.known()));
  }

  private static void settle(CompletableFuture<Void> outcome, Status status) {
    if (status.isOk()) {
      outcome.complete(null);
    } else if (status.getRaftError() == RaftError.ECATCHUP) {
      outcome.completeExceptionally(new NotCaughtUp(status.getErrorMsg()));
    } else {
      outcome.completeExceptionally(new IOException(status.getErrorMsg()));
    }
  }

  /** By the leader only. */
  private static List<PeerId> voters(Engine engine) {
    return engine.node().listPeers();
  }

  private static PeerId find(Engine engine, int id) {
    Optional<PeerId> found =
        voters(engine).stream().filter(voter -> Voters.id(voter) == id).findFirst();
    return found.orElseThrow(() -> new IllegalArgumentException("there is no replica " + id));
  }

  CompletableFuture<Void> transfer(int id) {
    Engine engine = lives.engine();
    if (engine == null || !leaders.known().leads()) {
      return notLeading();
    }
    NodeImpl node = engine.node();
    Status status;
    try {
      status = node.transferLeadershipTo(id == 0 ? PeerId.ANY_PEER : find(engine, id));
    } catch (IllegalArgumentException | IllegalStateException e) {
      return CompletableFuture.failedFuture(e);
    }
    if (!status.isOk()) {
      return CompletableFuture.failedFuture(new IOException(status.getErrorMsg()));
    }
    CompletableFuture<Void> outcome = new CompletableFuture<>();
    long deadline = System.nanoTime() + TRANSFER_TIMEOUTS * options.electionTimeout().toNanos();
    awaitLeader(id, deadline, outcome);
    return outcome;
  }

  @SuppressWarnings("FutureReturnValueIgnored") // the task ends in the outcome
  private void awaitLeader(int id, long deadline, CompletableFuture<Void> outcome) {
    int leader = leaders.leaderId();
    if (id == 0 ? leader != 0 && leader != options.id() : leader == id) {
      outcome.complete(null);
    } else if (System.nanoTime() - deadline > 0) {
      outcome.completeExceptionally(new IOException("leadership was not taken over in time"));
    } else {
      try {
        lives
            .watch()
            .schedule(() -> awaitLeader(id, deadline, outcome), LOOK_MILLIS, TimeUnit.MILLISECONDS);
      } catch (RejectedExecutionException e) {
        outcome.completeExceptionally(new IOException("the log was closed", e));
      }
    }
  }
}
