package io.regionfs.rpc.darpc;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import com.ibm.disni.verbs.IbvWC;
import com.ibm.disni.verbs.RdmaCmId;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.rpc.RpcHandler;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One client's connection at the server. Requests come in on its lane's thread, one at a time;
 * replies leave from any thread, under one lock, and wait in a queue while all send buffers are in
 * flight. A client that lets too much pile up is given no more receive buffers until it is served.
 */
final class ServerConnection extends RpcEndpoint {
  /** Requests without a reply that one client may have. */
  static final int MAX_UNANSWERED = 256;

  private record Answer(ProtobufMessage message, int ticket) {}

  private final RpcHandler handler;
  private final Consumer<ServerConnection> whenLost;
  private @Nullable ServerLane lane; // set before the endpoint allocates its resources

  @GuardedBy("posting")
  private final Queue<Answer> answers = new ArrayDeque<>();

  @GuardedBy("posting")
  private final Queue<Integer> withheldReceives = new ArrayDeque<>();

  @GuardedBy("posting")
  private int unanswered;

  private final Object accepting = new Object();
  private final Object dispatching = new Object();

  @GuardedBy("dispatching")
  private boolean detached;

  ServerConnection(
      EndpointGroup<ServerConnection> group,
      RdmaCmId id,
      RpcHandler handler,
      Consumer<ServerConnection> whenLost)
      throws IOException {
    super(group, id, true);
    this.handler = handler;
    this.whenLost = whenLost;
  }

  /** Sets up the buffers in this lane and tells the client that it may send. */
  void accept(ServerLane chosen) throws IOException, InterruptedException {
    synchronized (accepting) {
      if (isLost()) {
        throw new IOException(String.valueOf(lossReason()));
      }
      lane = chosen;
      chosen.admit(this, this::allocateResources);
      getIdPriv().accept(getConnParam());
    }
  }

  @Override
  CompletionQueue openQueue() throws IOException {
    if (lane == null) {
      throw new IOException("not accepted yet");
    }
    return lane.queue();
  }

  /** A successful completion, on the lane's thread. */
  void dispatch(IbvWC completion) {
    synchronized (dispatching) {
      if (!detached) {
        completed(completion);
      }
    }
  }

  @Override
  public void dispatchReceive(ByteBuffer buffer, int ticket, int index) throws IOException {
    heard();
    Request request = Request.parseFrom(ProtobufMessage.received(buffer, receivedBytes()));
    synchronized (posting) {
      if (isLost()) {
        return;
      }
      unanswered++;
      if (unanswered > MAX_UNANSWERED) {
        withheldReceives.add(index);
      } else {
        postRecv(index);
      }
    }
    handler.handle(request, reply -> answer(reply, ticket));
  }

  private void answer(Reply reply, int ticket) {
    IOException broken;
    synchronized (posting) {
      if (isLost()) {
        return;
      }
      answers.add(new Answer(new ProtobufMessage(reply), ticket));
      try {
        postAnswers();
        return;
      } catch (IOException e) {
        broken = e;
      }
    }
    lose("could not post a reply: " + broken.getMessage());
  }

  @GuardedBy("posting")
  private void postAnswers() throws IOException {
    for (Answer next = answers.peek(); next != null; next = answers.peek()) {
      if (!post(next.message(), next.ticket())) {
        return; // each send that completes comes back here
      }
      answers.remove();
      unanswered--;
      Integer withheld = withheldReceives.poll();
      if (withheld != null) {
        postRecv(withheld);
      }
    }
  }

  @Override
  public void dispatchSend(int ticket) throws IOException {
    freeSend(ticket);
    synchronized (posting) {
      if (!isLost()) {
        postAnswers();
      }
    }
  }

  /** Called by the watcher at even intervals; clients ping when they have nothing else to say. */
  void tick(int silentTicksAllowed) {
    if (silentTicks() > silentTicksAllowed) {
      lose("the client is silent");
    }
  }

  @Override
  void lost(String reason) {
    whenLost.accept(this);
  }

  /** Frees the connection's resources. Blocks for up to some seconds. */
  void release() throws IOException, InterruptedException {
    lose("closed");
    synchronized (dispatching) {
      detached = true;
    }
    synchronized (accepting) {
      hangUp();
      if (lane != null) {
        lane.dismiss(this, this::close);
      } else {
        close();
      }
    }
  }
}
