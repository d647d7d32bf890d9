package io.regionfs.region;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.regionfs.model.Errno;
import io.regionfs.proto.Append;
import io.regionfs.proto.Attach;
import io.regionfs.proto.Expose;
import io.regionfs.proto.Exposure;
import io.regionfs.proto.Exposures;
import io.regionfs.proto.Grow;
import io.regionfs.proto.HomeCall;
import io.regionfs.proto.HomeReply;
import io.regionfs.proto.Ping;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.rpc.RpcHandler;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;

/** Another host that calls a handler directly. */
final class HomeClient {
  private final RpcHandler handler;
  private final long client;
  private final AtomicLong sequence = new AtomicLong();

  HomeClient(RpcHandler handler, long client) {
    this.handler = handler;
    this.client = client;
  }

  Reply send(long id, HomeCall call) throws Exception {
    Request request =
        Request.newBuilder().setClientId(client).setSequence(id).setHome(call).build();
    CompletableFuture<Reply> reply = new CompletableFuture<>();
    handler.handle(
        request,
        answer -> assertThat(reply.complete(answer)).as("the only reply to %s", call).isTrue());
    try {
      return reply.get(60, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new AssertionError("no reply to " + call, e);
    }
  }

  Reply send(HomeCall.Builder call) throws Exception {
    return send(sequence.incrementAndGet(), call.build());
  }

  HomeReply ask(HomeCall.Builder call) throws Exception {
    Reply reply = send(call);
    assertThat(reply.getErrno()).as(reply.getDetail()).isZero();
    return reply.getHome();
  }

  void refuses(Errno errno, HomeCall.Builder call) throws Exception {
    Reply reply = send(call);
    assertThat(Errno.of(reply.getErrno())).as(reply.getDetail()).isEqualTo(errno);
    assertThat(reply.getDetail()).isNotEmpty();
  }

  static HomeCall.Builder to(long inode) {
    return HomeCall.newBuilder().setInode(inode);
  }

  static HomeCall.Builder stat(long inode) {
    return to(inode).setStat(Ping.getDefaultInstance());
  }

  static HomeCall.Builder attach(long inode, boolean mayBeNew) {
    return to(inode).setAttach(Attach.newBuilder().setMayBeNew(mayBeNew));
  }

  static HomeCall.Builder grow(long inode, int epoch, long size) {
    return to(inode).setGrow(Grow.newBuilder().setEpoch(epoch).setSize(size));
  }

  static HomeCall.Builder append(long inode, byte[] data) {
    return to(inode).setAppend(Append.newBuilder().setData(ByteString.copyFrom(data)));
  }

  static HomeCall.Builder exposing(long inode, long offset, long length, boolean write) {
    return to(inode)
        .setExpose(Expose.newBuilder().setOffset(offset).setLength(length).setWrite(write));
  }

  Exposures expose(long inode, long offset, long length, boolean write) throws Exception {
    return ask(exposing(inode, offset, length, write)).getExposures();
  }

  /** The only exposure of an answer. */
  Exposure exposeOne(long inode, long offset, long length, boolean write) throws Exception {
    Exposures exposures = expose(inode, offset, length, write);
    assertThat(exposures.getExposuresList()).hasSize(1);
    return exposures.getExposures(0);
  }
}
