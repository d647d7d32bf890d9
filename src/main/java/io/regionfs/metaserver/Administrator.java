package io.regionfs.metaserver;

import io.regionfs.meta.MetadataProtocol;
import io.regionfs.metaserver.ReplicatedLog.Leadership;
import io.regionfs.metaserver.ReplicatedLog.NotLeading;
import io.regionfs.metaserver.state.Replica;
import io.regionfs.metaserver.state.Replies;
import io.regionfs.model.Errno;
import io.regionfs.proto.Administration;
import io.regionfs.proto.AdministrationReply;
import io.regionfs.proto.Hello;
import io.regionfs.proto.ReplicaAddress;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.rpc.RpcHandler;
import io.regionfs.rpc.RpcResponder;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers those who look after the replicas: what this one is, by any replica; changes of the
 * group, by the one that leads. What was asked for and cannot be done is refused with EINVAL, and
 * the reason.
 */
public final class Administrator implements RpcHandler {
  private static final Logger LOG = LoggerFactory.getLogger(Administrator.class);

  private final Replica replica;
  private final ReplicatedLog log;
  private final ReplicaGroup group;

  public Administrator(Replica replica, ReplicatedLog log, ReplicaGroup group) {
    this.replica = replica;
    this.log = log;
    this.group = group;
  }

  @Override
  @SuppressWarnings("FutureReturnValueIgnored") // a responder never throws
  public void handle(Request request, RpcResponder responder) {
    CompletableFuture<Reply> reply;
    try {
      reply = answer(request);
    } catch (RuntimeException e) {
      responder.reply(failed(e));
      return;
    }
    reply.whenComplete(
        (done, failure) -> responder.reply(failure == null ? done : failed(failure)));
  }

  private CompletableFuture<Reply> answer(Request request) {
    if (request.getVersion() != MetadataProtocol.VERSION) {
      return CompletableFuture.completedFuture(
          Replies.refusal(Errno.EPROTONOSUPPORT, MetadataProtocol.refusalOf(request.getVersion())));
    }
    Administration asked = request.getAdministration();
    return switch (asked.getAdministrationCase()) {
      case STATUS -> CompletableFuture.completedFuture(reply(group.status()));
      case HELLO -> hello(asked.getHello());
      case VERIFY -> verify();
      case ADD -> add(asked.getAdd());
      case REMOVE -> done(group.remove(asked.getRemove()));
      case TRANSFER -> done(group.transfer(asked.getTransfer()));
      case ADMINISTRATION_NOT_SET ->
          CompletableFuture.completedFuture(
              Replies.refusal(Errno.EINVAL, "unknown administration call"));
    };
  }

  private static Reply reply(AdministrationReply answer) {
    return Reply.newBuilder().setAdministration(answer).build();
  }

  /** One that leads answers with certainty; another one as far as it has heard. */
  private CompletableFuture<Reply> hello(Hello hello) {
    CompletableFuture<Void> heard =
        log.leadership().leads() ? log.barrier() : CompletableFuture.completedFuture(null);
    return heard.thenApply(
        passed ->
            reply(
                group.status().toBuilder()
                    .setKnownDisk(replica.read(namespace -> namespace.knownDisk(hello.getId())))
                    .build()));
  }

  private CompletableFuture<Reply> verify() {
    return group
        .verify()
        .thenApply(
            verified ->
                reply(
                    group.status().toBuilder()
                        .setFingerprint(verified.fingerprint())
                        .setFingerprintIndex(verified.index())
                        .build()));
  }

  private CompletableFuture<Reply> add(ReplicaAddress added) {
    if (replica.read(namespace -> namespace.knownDisk(added.getId())) != 0) {
      return CompletableFuture.completedFuture(
          Replies.refusal(
              Errno.EINVAL,
              "replica "
                  + added.getId()
                  + " is or was a member: give the new one a number that was never used"));
    }
    return done(group.add(added.getId(), added.getAddress()));
  }

  private CompletableFuture<Reply> done(CompletableFuture<Void> change) {
    return change.thenApply(passed -> reply(group.status()));
  }

  private Reply failed(Throwable failure) {
    Throwable cause = Proposals.cause(failure);
    String detail = cause.getMessage() == null ? cause.toString() : cause.getMessage();
    if (cause instanceof NotLeading) {
      Leadership known = log.leadership();
      return Replies.refusal(Errno.EAGAIN, detail).toBuilder()
          .setLeadership(
              io.regionfs.proto.Leadership.newBuilder()
                  .setTerm(known.term())
                  .setLeader(known.leader()))
          .build();
    }
    LOG.warn("Refused", cause);
    return Replies.refusal(Errno.EINVAL, detail);
  }
}
