package io.regionfs.daemon;

import io.regionfs.meta.MetadataProtocol;
import io.regionfs.model.Errno;
import io.regionfs.proto.Administration;
import io.regionfs.proto.AdministrationReply;
import io.regionfs.proto.Ping;
import io.regionfs.proto.ReplicaAddress;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.rpc.RpcClient;
import io.regionfs.rpc.RpcException;
import io.regionfs.rpc.RpcTransport;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The replicas of a metadata service, for those who look after them: each is asked by itself. Used
 * by one thread.
 */
public final class ReplicaCalls implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(3);

  private final RpcTransport transport;
  private final List<InetSocketAddress> given;
  private final Map<InetSocketAddress, RpcClient> clients = new LinkedHashMap<>();

  /**
   * What one replica says of itself.
   *
   * @param id 0 if it is not known
   * @param reply null if it does not answer
   * @param error why it does not answer
   */
  public record Answer(
      int id, InetSocketAddress address, @Nullable AdministrationReply reply, String error) {
    public boolean leads() {
      return reply != null && reply.getLeader() != 0 && reply.getLeader() == id;
    }
  }

  /**
   * @param given some or all of them; the caller closes the transport
   */
  public ReplicaCalls(RpcTransport transport, List<InetSocketAddress> given) {
    this.transport = transport;
    this.given = List.copyOf(given);
  }

  /** The beginning of every request. */
  static Request.Builder envelope(long client) {
    return Request.newBuilder().setClientId(client).setVersion(MetadataProtocol.VERSION);
  }

  static Request request(Administration.Builder administration) {
    return envelope(new SecureRandom().nextLong() | 1).setAdministration(administration).build();
  }

  /**
   * Asks all that are given, and those that they name as members, in the order of their numbers.
   */
  public List<Answer> status() {
    return ask(Administration.newBuilder().setStatus(Ping.getDefaultInstance()));
  }

  /** As {@link #status}, with each replica's fingerprint and its index. */
  public List<Answer> verify() {
    return ask(Administration.newBuilder().setVerify(Ping.getDefaultInstance()));
  }

  private List<Answer> ask(Administration.Builder question) {
    List<Answer> answers = new ArrayList<>(ask(new LinkedHashSet<>(given), question));
    Map<InetSocketAddress, Integer> members = members(answers);
    Set<InetSocketAddress> unasked = new LinkedHashSet<>(members.keySet());
    answers.forEach(answer -> unasked.remove(answer.address()));
    answers.addAll(ask(unasked, question));
    return answers.stream()
        .map(
            answer ->
                answer.id() == 0
                    ? new Answer(
                        members.getOrDefault(answer.address(), 0),
                        answer.address(),
                        null,
                        answer.error())
                    : answer)
        .sorted(Comparator.comparing((Answer answer) -> answer.id() == 0).thenComparing(Answer::id))
        .toList();
  }

  /** By the one that has heard most. */
  private static Map<InetSocketAddress, Integer> members(List<Answer> answers) {
    Map<InetSocketAddress, Integer> members = new LinkedHashMap<>();
    for (ReplicaAddress voter : voters(answers)) {
      members.put(Addresses.service(voter.getAddress()), voter.getId());
    }
    return members;
  }

  /** The members, as the leader has them or, without one, the replica that has heard most. */
  public static List<ReplicaAddress> voters(List<Answer> answers) {
    Optional<AdministrationReply> best =
        answers.stream()
            .filter(answer -> answer.reply() != null)
            .max(
                Comparator.comparing(Answer::leads)
                    .thenComparing(answer -> answer.reply() == null ? 0 : answer.reply().getTerm()))
            .map(Answer::reply);
    return best.map(AdministrationReply::getVotersList).orElse(List.of());
  }

  private List<Answer> ask(Set<InetSocketAddress> addresses, Administration.Builder question) {
    List<CompletableFuture<Answer>> asked = new ArrayList<>();
    for (InetSocketAddress address : addresses) {
      RpcClient client = client(address);
      Request request = request(question);
      CompletableFuture<Answer> answer = new CompletableFuture<>();
      Thread asking =
          new Thread(
              () -> answer.complete(ask(address, client, request)),
              "ask-" + Addresses.text(address));
      asking.setDaemon(true);
      asking.start();
      asked.add(answer);
    }
    return asked.stream().map(CompletableFuture::join).toList();
  }

  private static Answer ask(InetSocketAddress address, RpcClient client, Request request) {
    try {
      Reply reply = client.call(request, PATIENCE);
      return reply.getErrno() == 0 && reply.hasAdministration()
          ? new Answer(reply.getAdministration().getId(), address, reply.getAdministration(), "")
          : new Answer(0, address, null, reply.getDetail());
    } catch (RpcException e) {
      return new Answer(0, address, null, String.valueOf(e.getMessage()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Answer(0, address, null, "interrupted");
    }
  }

  /** The only one of that number that answers. */
  public static Optional<Answer> byId(List<Answer> answers, int id) {
    return answers.stream().filter(answer -> answer.id() == id).findFirst();
  }

  public static Optional<Answer> leader(List<Answer> answers) {
    return answers.stream()
        .filter(Answer::leads)
        .max(Comparator.comparing(answer -> answer.reply() == null ? 0 : answer.reply().getTerm()));
  }

  /**
   * The leader among these answers.
   *
   * @throws CommandFailure that says why there is none
   */
  public static Answer needLeader(List<Answer> answers) {
    return leader(answers)
        .orElseThrow(
            () ->
                new CommandFailure(
                    "the metadata service has no leader: "
                        + answers.stream()
                            .map(ReplicaCalls::describe)
                            .collect(Collectors.joining("; "))
                        + " (a majority must run and reach each other)"));
  }

  private static String describe(Answer answer) {
    AdministrationReply reply = answer.reply();
    String who =
        (answer.id() == 0 ? "" : "replica " + answer.id() + " at ")
            + Addresses.text(answer.address());
    if (reply == null) {
      return who + " does not answer (" + answer.error() + ")";
    }
    return who + (reply.getTrouble().isEmpty() ? " answers" : " " + reply.getTrouble());
  }

  /**
   * Asks one replica for something that takes its time.
   *
   * @return what went wrong; empty: done; null: not known, as it was lost or does not lead any more
   */
  public @Nullable String command(
      InetSocketAddress leader, Administration.Builder what, Duration deadline)
      throws InterruptedException {
    try {
      Reply reply = client(leader).call(request(what), deadline);
      if (reply.getErrno() == Errno.EAGAIN.code()) {
        return null;
      }
      return reply.getErrno() == 0 ? "" : reply.getDetail();
    } catch (RpcException e) {
      return null;
    }
  }

  @SuppressWarnings("MustBeClosedChecker") // close() does
  private RpcClient client(InetSocketAddress address) {
    return clients.computeIfAbsent(address, transport::client);
  }

  @Override
  public void close() {
    clients.values().forEach(RpcClient::close);
  }
}
