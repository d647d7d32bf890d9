package io.regionfs.meta;

import io.regionfs.model.Errno;
import io.regionfs.model.InodeId;
import io.regionfs.proto.AdministrationReply;
import io.regionfs.proto.Attributes;
import io.regionfs.proto.FileType;
import io.regionfs.proto.Leadership;
import io.regionfs.proto.ReplicaAddress;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.rpc.RpcHandler;
import io.regionfs.rpc.RpcResponder;
import io.regionfs.rpc.RpcServer;
import io.regionfs.rpc.RpcTransport;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** A replica of a metadata service that does as the test says, and carries out nothing. */
final class FakeReplica implements RpcHandler, AutoCloseable {
  /** How it takes calls. */
  enum Mood {
    LEADS,
    FOLLOWS,
    /** As when it was stopped, or its link was cut. */
    SILENT,
    /** It carries commands out, but their replies are lost. */
    DEAF,
    /** It has ended all sessions. */
    FORGETFUL,
    OTHER_VERSION
  }

  final List<Request> requests = new CopyOnWriteArrayList<>();
  final List<Request> operations = new CopyOnWriteArrayList<>();

  private final RpcServer server;
  private volatile Mood mood = Mood.FOLLOWS;
  private volatile long term;
  private volatile String leader = "";

  /** Who has sessions here, with any of the replicas that share it. */
  private final Map<Long, Boolean> sessions;

  @SuppressWarnings("MustBeClosedChecker") // closed with this
  FakeReplica(RpcTransport transport, Map<Long, Boolean> sessions) throws IOException {
    this.sessions = sessions;
    server = transport.serve(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), this);
  }

  static Map<Long, Boolean> noSessions() {
    return new ConcurrentHashMap<>();
  }

  InetSocketAddress address() {
    return server.address();
  }

  void be(Mood now) {
    mood = now;
  }

  void knows(long leaderTerm, FakeReplica who) {
    term = leaderTerm;
    leader = Messages.text(who.address());
  }

  @Override
  public void handle(Request request, RpcResponder responder) {
    requests.add(request);
    switch (mood) {
      case SILENT -> {}
      case FOLLOWS -> responder.reply(follower(request));
      case OTHER_VERSION ->
          responder.reply(refusal(Errno.EPROTONOSUPPORT, "version 1, but this speaks 7"));
      case LEADS -> responder.reply(leader(request));
      case DEAF -> leader(request);
      case FORGETFUL -> {
        sessions.clear();
        mood = Mood.LEADS;
        responder.reply(leader(request));
      }
    }
  }

  private Reply follower(Request request) {
    if (request.hasAdministration()) {
      AdministrationReply.Builder state =
          AdministrationReply.newBuilder()
              .setId(9)
              .setTerm(term)
              .setLeader(leader.isEmpty() ? 0 : 1);
      state.addVoters(ReplicaAddress.newBuilder().setId(1).setAddress(leader));
      return Reply.newBuilder().setAdministration(state).build();
    }
    return refusal(Errno.EAGAIN, "does not lead").toBuilder()
        .setLeadership(Leadership.newBuilder().setTerm(term).setLeader(leader))
        .build();
  }

  private Reply leader(Request request) {
    if (request.hasAdministration()) {
      AdministrationReply.Builder state =
          AdministrationReply.newBuilder().setId(1).setTerm(term).setLeader(1);
      return Reply.newBuilder().setAdministration(state).build();
    }
    if (request.getOperation().hasOpenSession()) {
      sessions.put(request.getClientId(), true);
      return Reply.getDefaultInstance();
    }
    if (request.hasOperation()) {
      if (!sessions.containsKey(request.getClientId())) {
        return refusal(Errno.ESTALE, "no session").toBuilder().setNoSession(true).build();
      }
      operations.add(request);
    }
    return Reply.newBuilder().setAttributes(ROOT).build();
  }

  private static final Attributes ROOT =
      Attributes.newBuilder()
          .setInode(InodeId.ROOT.value())
          .setType(FileType.FILE_TYPE_DIRECTORY)
          .build();

  private static Reply refusal(Errno errno, String detail) {
    return Reply.newBuilder().setErrno(errno.code()).setDetail(detail).build();
  }

  @Override
  public void close() {
    server.close();
  }
}
