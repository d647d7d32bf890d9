package io.regionfs.metaserver;

import io.regionfs.metaserver.ReplicatedLog.NotLeading;
import io.regionfs.metaserver.state.Changes;
import io.regionfs.metaserver.state.Namespace;
import io.regionfs.metaserver.state.Nodes;
import io.regionfs.metaserver.state.Replica;
import io.regionfs.proto.Command;
import io.regionfs.proto.DirectoryEntry;
import io.regionfs.proto.DirectoryPage;
import io.regionfs.proto.Grant;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Query;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.rpc.RpcTransport;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Leases on inodes for the caches of nodes, in one term of one leader, and so the answers to
 * questions and commands, which respect them.
 *
 * <p>Promise: what was answered to anybody, or read by anybody from his cache, is never followed by
 * an older answer or an older read from a cache, anywhere. In detail:
 *
 * <ul>
 *   <li><b>Grant.</b> An answer and the grant that goes with it are made under the replica's lock
 *       for reading, so no change comes between. The grant is in the table before the answer is on
 *       its way.
 *   <li><b>From a change to its last recall.</b> A change is marked under the replica's lock for
 *       writing, before anybody can read it: every other holder of its inodes gets a debt, and a
 *       {@link Hold} is put on all its inodes, held or not, since a command that changed two of
 *       them must not be seen in one while the other is still read as it was. Until the hold is
 *       over neither the command nor a question about one of these inodes is answered; until then
 *       reading the old state from a cache is reading before the change. A later command that
 *       touches these inodes, or whose answer could tell of them, is held until they are free, and
 *       its own inodes with it. A refusal may tell of inodes that the command has not named, so it
 *       waits for all holds.
 *   <li><b>The end of a hold</b> is when each holder has answered the recall, having forgotten, or
 *       cannot use its cache: its cache lease, counted by the leader from when a renewal came in,
 *       by the node from before it was sent, has run out. This covers a stopped node and lost
 *       answers. The debt stays: as long as a node owes, its renewals are refused after half a
 *       lease, so a node whom calls do not reach cannot hold changes up by renewing. One that comes
 *       sooner after a gap may be granted, since a node forgets everything when its lease has run
 *       out.
 *   <li><b>An answer on its way while the inode is recalled.</b> The node keeps an answer only if
 *       it has forgotten nothing of that inode since it asked.
 *   <li><b>The actor.</b> What it has dropped before it sent its command is not recalled from it.
 *       It keeps no answer about these inodes to a question asked between that and the command's
 *       reply.
 *   <li><b>Writers</b> of a file count as holders of it when it gets a set-user-id bit,
 *       set-group-id bit or capability, which their writes take away: they need not ask before each
 *       write.
 *   <li><b>A new leader</b> does not know who holds what, nor which changes of the last term were
 *       still on hold. It answers no question and no command until every node that was a member has
 *       forgotten all it was granted in earlier terms, or the time of a cache lease has passed
 *       since the term began: renewals pass a barrier, so none succeeds that was sent after that. A
 *       node that has heard of a term ignores grants of earlier ones, and drops all when it hears
 *       of a later one, be it by a recall, a renewal, a joining or a grant.
 *   <li><b>A deposed leader that was stopped and wakes</b> may have questions whose barrier had
 *       passed. It checks, under the replica's lock, that it has not been told of its end: the log
 *       tells it before it applies what a later leader has done. So such an answer is at worst of
 *       the state when the next leader began, and its question was asked before that. Its grant is
 *       of its old term. Commands that are applied after its end are not answered, as only the new
 *       leader knows what is on hold.
 *   <li><b>A node that restarts, or joins again,</b> has dropped everything before it asks to join,
 *       and keeps no answer to what it asked before that. While it is no member it is granted
 *       nothing.
 * </ul>
 *
 * <p>No thread waits here: what is on hold is continued by the thread that ends the hold. There is
 * no deadlock as long as nodes answer recalls without waiting for calls of their own.
 */
final class CacheLeases implements AutoCloseable {
  static final int MOST_GRANTS = 1_000_000;

  /** An inode that is changed all the time is not worth leases. */
  static final Duration COOLING = Duration.ofMillis(250);

  private static final int BYTES_PER_GRANT = 10;
  private static final int ENVELOPE_BYTES = 64;
  private static final long SECOND = 1_000_000_000L;

  private final long term;
  private final Replica replica;
  private final InstantSource clock;
  private final ServiceMetrics metrics;
  private final GrantTable grants;
  private final Ledger ledger;
  private final @Nullable Recaller recaller;

  /** Commands under way, so that a repeated one joins the first. */
  private final Map<Caller, Call> calls = new ConcurrentHashMap<>();

  private record Caller(long client, long sequence) {}

  /** A command under way. */
  private static final class Call {
    final Request request;
    final CompletableFuture<Reply> reply = new CompletableFuture<>();

    /** It was applied in this term, and {@link #hold} is what its reply waits for. */
    volatile boolean applied;

    volatile @Nullable Hold hold;

    Call(Request request) {
      this.request = request;
    }

    boolean forgot(long inode) {
      return request.getForgottenList().contains(inode);
    }
  }

  /**
   * @param nodes calls to them, borrowed; without, nothing can be recalled, so nothing is granted
   */
  CacheLeases(
      long term,
      Duration cacheLease,
      Replica replica,
      @Nullable NodeCalls nodes,
      InstantSource clock,
      int mostGrants,
      ServiceMetrics metrics) {
    this.term = term;
    this.replica = replica;
    this.clock = clock;
    this.metrics = metrics;
    this.grants = new GrantTable(mostGrants);
    this.ledger = new Ledger(grants, cacheLease, COOLING, this::recallFrom);
    this.recaller = nodes == null ? null : new Recaller(term, ledger, nodes, this::now, metrics);
    if (recaller != null) {
      ledger.start(replica.read(CacheLeases::living), now());
    }
  }

  private static List<Integer> living(Namespace namespace) {
    return namespace.nodes().all().stream()
        .filter(Nodes.Member::isLiving)
        .map(Nodes.Member::id)
        .toList();
  }

  private void recallFrom(Holder holder) {
    if (recaller != null) {
      recaller.start(holder);
    }
  }

  private long now() {
    Instant now = clock.instant();
    return now.getEpochSecond() * SECOND + now.getNano();
  }

  /**
   * Answers a question about names and inodes whose barrier has passed. Fails with {@link
   * NotLeading} if the term is over.
   */
  CompletableFuture<Reply> answer(Request request) {
    Hold hold = ledger.earlierTerms();
    if (hold == null) {
      Object found = replica.read(namespace -> attempt(namespace, request));
      if (found instanceof Reply reply) {
        return CompletableFuture.completedFuture(reply);
      }
      hold = (Hold) found;
    }
    return hold.done().thenCompose(over -> answer(request));
  }

  /** The reply, or the hold to wait for. */
  private Object attempt(Namespace namespace, Request request) {
    if (ledger.isClosed()) {
      throw new NotLeading("this replica led before");
    }
    Query query = request.getQuery();
    Reply reply = namespace.query(query);
    if (!ledger.holdsNone()) {
      for (long inode : Involved.in(query, reply)) {
        Hold hold = ledger.holdOn(inode);
        if (hold != null) {
          return hold;
        }
      }
      reply = withoutHeld(reply);
    }
    if (request.getNode() == 0 || recaller == null) {
      return reply;
    }
    long now = now();
    Holder holder = ledger.grantee(request.getNode(), now);
    if (holder == null || !namespace.nodes().isLiving(request.getNode())) {
      return reply;
    }
    return granted(reply, holder, Involved.keepable(namespace, query, reply), now);
  }

  /** A listing without the attributes of those on hold: whoever wants them has to wait. */
  private Reply withoutHeld(Reply reply) {
    DirectoryPage.@Nullable Builder page = null;
    for (int i = 0; i < reply.getPage().getEntriesCount(); i++) {
      DirectoryEntry entry = reply.getPage().getEntries(i);
      if (entry.hasAttributes() && ledger.holdOn(entry.getInode()) != null) {
        page = page == null ? reply.getPage().toBuilder() : page;
        page.setEntries(i, entry.toBuilder().clearAttributes());
      }
    }
    return page == null ? reply : reply.toBuilder().setPage(page).build();
  }

  private Reply granted(Reply reply, Holder holder, List<Long> inodes, long now) {
    int room = RpcTransport.MAX_MESSAGE_BYTES - ENVELOPE_BYTES - reply.getSerializedSize();
    Grant.@Nullable Builder grant = null;
    for (long inode : inodes) {
      room -= BYTES_PER_GRANT;
      if (room >= 0 && ledger.isCool(inode, now) && grants.add(inode, holder.number())) {
        grant = grant == null ? Grant.newBuilder().setTerm(term) : grant;
        grant.addInodes(inode);
      }
    }
    if (grant == null) {
      return reply;
    }
    metrics.granted(grant.getInodesCount());
    return reply.toBuilder().setGrant(grant).build();
  }

  /**
   * Carries a client's command out and answers it when nobody can read what was before. Fails as
   * the proposal, and with {@link NotLeading} if the term ends first: then it may have been carried
   * out.
   */
  @SuppressWarnings("FutureReturnValueIgnored") // the reply is what the caller has
  CompletableFuture<Reply> command(Request request, Supplier<CompletableFuture<Reply>> proposal) {
    Caller caller = new Caller(request.getClientId(), request.getSequence());
    Call call = new Call(request);
    Call first = calls.putIfAbsent(caller, call);
    if (first != null) {
      return first.reply;
    }
    propose(proposal)
        .thenCompose(reply -> held(call, reply))
        .whenComplete(
            (reply, failure) -> {
              calls.remove(caller);
              if (failure == null) {
                call.reply.complete(reply);
              } else {
                call.reply.completeExceptionally(Proposals.cause(failure));
              }
            });
    return call.reply;
  }

  private static CompletableFuture<Reply> propose(Supplier<CompletableFuture<Reply>> proposal) {
    try {
      return proposal.get();
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  private CompletableFuture<Reply> held(Call call, Reply reply) {
    Operation operation = call.request.getOperation();
    if (ledger.isClosed()) {
      return CompletableFuture.failedFuture(new NotLeading("this replica led before"));
    }
    Hold hold =
        call.applied
            ? call.hold
            : replica.<@Nullable Hold>read(namespace -> ledger.repeated(operation, reply));
    if (hold == null || Involved.isAboutNone(operation)) {
      return CompletableFuture.completedFuture(reply);
    }
    return hold.done().thenApply(over -> reply);
  }

  /** A command was applied; the replica's lock for writing is held. */
  void changed(Command command, Reply reply, Changes changes) {
    Operation operation = command.getOperation();
    Call call = calls.get(new Caller(command.getClientId(), command.getSequence()));
    List<Long> inodes = new ArrayList<>(changes.count());
    for (int i = 0; i < changes.count(); i++) {
      inodes.add(changes.inode(i));
    }
    int actor = call == null ? 0 : call.request.getNode();
    for (Changes.Told told : changes.told()) {
      told.nodes().forEach(node -> grantTo(node, told.inode()));
    }
    Hold hold =
        ledger.changed(
            operation, reply, inodes, actor, inode -> call != null && call.forgot(inode), now());
    if (hold != null) {
      metrics.held();
    }
    if (operation.hasExpireNode()) {
      ledger.ended(operation.getExpireNode().getNode());
    }
    if (call != null) {
      call.hold = hold;
      call.applied = true;
    }
  }

  /**
   * So that it is recalled: by that alone who writes a file knows whether it has privileges, and
   * who has one open whether it was ended.
   */
  private void grantTo(int node, long inode) {
    Holder holder = ledger.grantee(node, now());
    if (holder != null) {
      grants.add(inode, holder.number());
    }
  }

  /** The node has joined in this term, having dropped all it had. */
  void joined(int node) {
    ledger.joined(node, now());
  }

  /**
   * A node that is still a member asks to go on; a barrier has passed since it did.
   *
   * @return whether its cache lease was extended
   */
  boolean renewed(int node) {
    return ledger.extend(node, now());
  }

  /** The node says that it is gone, and its cache with it. */
  void left(int node) {
    ledger.left(node, now());
  }

  /** Whether a client's command that opens this inode is under way. */
  boolean isBeingOpened(long inode) {
    return calls.values().stream()
        .anyMatch(call -> call.request.getOperation().getOpen().getInode() == inode);
  }

  /** Leases that nodes hold, some of whose nodes may have dropped them. */
  int leases() {
    return grants.size();
  }

  /** Ends what only time ends. To be called a few times per cooling. */
  void tick() {
    ledger.tick(now());
  }

  /** What was held back is not answered here any more. Does not wait. */
  @Override
  public void close() {
    ledger.close();
    if (recaller != null) {
      recaller.close();
    }
  }
}
