package io.regionfs.daemon;

import io.regionfs.model.Errno;
import io.regionfs.proto.Administration;
import io.regionfs.proto.AdministrationReply;
import io.regionfs.proto.Hello;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.rpc.RpcClient;
import io.regionfs.rpc.RpcException;
import io.regionfs.rpc.RpcHandler;
import io.regionfs.rpc.RpcResponder;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The time of a replica before it knows its cluster: it says Hello to the others until it does, and
 * answers theirs.
 */
final class Founding implements RpcHandler {
  private static final Logger LOG = LoggerFactory.getLogger(Founding.class);
  private static final Duration PATIENCE = Duration.ofSeconds(2);
  private static final long PAUSE_MILLIS = 200;

  private final Introduction introduction;
  private final Map<Integer, RpcClient> others;
  private final Function<InetSocketAddress, RpcClient> connector;
  private volatile String state = "starts";

  /**
   * @param others calls to the other replicas, by number; the caller's to close
   * @param connector calls to a leader which they name and which is none of them
   */
  Founding(
      Introduction introduction,
      Map<Integer, RpcClient> others,
      Function<InetSocketAddress, RpcClient> connector) {
    this.introduction = introduction;
    this.connector = connector;
    this.others = Map.copyOf(others);
  }

  /**
   * Asks all others once.
   *
   * @return the replica as the member it is from now on; null if it has to wait, see {@link #state}
   * @throws CommandFailure if it must not take part
   */
  @Nullable ReplicaIdentity attempt() throws InterruptedException {
    Introduction.Conclusion conclusion = introduction.conclude(ask());
    if (!conclusion.refusal().isEmpty()) {
      state = conclusion.refusal();
      throw new CommandFailure(conclusion.refusal());
    }
    if (conclusion.member() == null) {
      say(conclusion.waits());
    }
    return conclusion.member();
  }

  /** Asks until the replica is a member; a refusal may pass, as it may be another's mistake. */
  ReplicaIdentity await() throws InterruptedException {
    while (true) {
      TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
      try {
        ReplicaIdentity member = attempt();
        if (member != null) {
          return member;
        }
      } catch (CommandFailure e) {
        LOG.debug("takes no part", e);
      }
    }
  }

  /** What the replica waits for, or why it takes no part. */
  String state() {
    return state;
  }

  private void say(String text) {
    if (!text.equals(state)) {
      LOG.info("Replica {} {}", introduction.own().id(), text);
    }
    state = text;
  }

  private Map<Integer, AdministrationReply> ask() throws InterruptedException {
    Map<Integer, AdministrationReply> answers = new ConcurrentHashMap<>();
    Map<Integer, Thread> asking = new TreeMap<>();
    others.forEach(
        (id, other) -> {
          Thread thread = new Thread(() -> ask(id, other, answers), "hello-" + id);
          thread.setDaemon(true);
          thread.start();
          asking.put(id, thread);
        });
    for (Thread thread : asking.values()) {
      thread.join();
    }
    for (AdministrationReply answer : List.copyOf(answers.values())) {
      askLeader(answer, answers);
    }
    return new TreeMap<>(answers);
  }

  /** The list that this replica was given may be older than the leader, or only name some. */
  private void askLeader(AdministrationReply answer, Map<Integer, AdministrationReply> answers) {
    int leader = answer.getLeader();
    if (leader == 0
        || leader == introduction.own().id()
        || others.containsKey(leader)
        || answers.containsKey(leader)) {
      return;
    }
    InetSocketAddress address = Peers.of(answer.getVotersList()).addresses().get(leader);
    if (address != null) {
      try (RpcClient client = connector.apply(address)) {
        ask(leader, client, answers);
      }
    }
  }

  private void ask(int id, RpcClient other, Map<Integer, AdministrationReply> answers) {
    try {
      Reply reply = other.call(hello(), PATIENCE);
      if (reply.getErrno() == 0 && reply.hasAdministration()) {
        answers.put(id, reply.getAdministration());
      } else {
        LOG.debug("Replica {} answers: {}", id, reply.getDetail());
      }
    } catch (RpcException e) {
      LOG.debug("Replica {} does not answer: {}", id, e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // this thread's only work is over
    }
  }

  private Request hello() {
    ReplicaIdentity own = introduction.own();
    return ReplicaCalls.request(
        Administration.newBuilder()
            .setHello(
                Hello.newBuilder()
                    .setId(own.id())
                    .setDisk(own.disk())
                    .setClusterId(own.clusterId())));
  }

  @Override
  public void handle(Request request, RpcResponder responder) {
    Administration.AdministrationCase asked = request.getAdministration().getAdministrationCase();
    if (asked == Administration.AdministrationCase.HELLO
        || asked == Administration.AdministrationCase.STATUS) {
      responder.reply(
          Reply.newBuilder()
              .setAdministration(
                  AdministrationReply.newBuilder()
                      .setId(introduction.own().id())
                      .setClusterId(introduction.own().clusterId())
                      .addAllVoters(introduction.peers().messages())
                      // One that was a member before may have promised entries.
                      .setLastLogIndex(introduction.own().clusterId().isEmpty() ? 0 : 1)
                      .setTrouble(state))
              .build());
    } else {
      responder.reply(
          Reply.newBuilder().setErrno(Errno.EAGAIN.code()).setDetail("replica " + state).build());
    }
  }
}
