package io.regionfs.daemon;

import io.regionfs.model.Errno;
import io.regionfs.posix.LibC;
import io.regionfs.proto.AddReplica;
import io.regionfs.proto.Found;
import io.regionfs.proto.OpenSession;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.rpc.RpcClient;
import io.regionfs.rpc.RpcException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a replica tells the namespace when it starts, by commands like any other: which cluster this
 * is, whose its root is, and on which disk the replica is. Told again they change nothing.
 */
final class Registration {
  private static final Logger LOG = LoggerFactory.getLogger(Registration.class);
  private static final Duration ATTEMPT = Duration.ofSeconds(5);
  private static final long FIRST_PAUSE_MILLIS = 5;
  private static final long LONGEST_PAUSE_MILLIS = 500;

  private final ReplicaIdentity identity;
  private final List<RpcClient> replicas;
  private final long client = new SecureRandom().nextLong() | 1;
  private long sequence;
  private int current;

  /**
   * @param replicas calls to them, this one included; the caller's to close
   */
  Registration(ReplicaIdentity identity, List<RpcClient> replicas) {
    this.identity = identity;
    this.replicas = List.copyOf(replicas);
  }

  /**
   * Returns when the namespace has taken it in; waits for a leader as long as it takes.
   *
   * @throws CommandFailure if the replica must not take part
   */
  void carryOut() throws InterruptedException {
    command(
        Operation.newBuilder()
            .setOpenSession(OpenSession.newBuilder().setClusterId("").build())
            .build());
    command(
        Operation.newBuilder()
            .setFound(
                Found.newBuilder()
                    .setClusterId(identity.clusterId())
                    .setUid(LibC.INSTANCE.getuid())
                    .setGid(LibC.INSTANCE.getgid()))
            .build());
    command(
        Operation.newBuilder()
            .setAddReplica(AddReplica.newBuilder().setId(identity.id()).setDisk(identity.disk()))
            .build());
  }

  private void command(Operation operation) throws InterruptedException {
    sequence++;
    Request request =
        ReplicaCalls.envelope(client)
            .setSequence(sequence)
            .setAcknowledged(sequence - 1)
            .setOperation(operation)
            .build();
    for (int attempt = 0; ; attempt++) {
      Reply reply = attempt(request);
      if (reply != null && reply.getErrno() == 0) {
        return;
      }
      if (reply != null && isFinal(reply)) {
        throw new CommandFailure(reply.getDetail());
      }
      long pause = FIRST_PAUSE_MILLIS << Math.min(attempt / replicas.size(), Integer.SIZE / 2);
      TimeUnit.MILLISECONDS.sleep(Math.min(pause, LONGEST_PAUSE_MILLIS));
    }
  }

  /** Anything else passes: a disk that is full, a leader that goes. */
  private static boolean isFinal(Reply reply) {
    return reply.getErrno() == Errno.EEXIST.code() || reply.getErrno() == Errno.EINVAL.code();
  }

  private @Nullable Reply attempt(Request request) throws InterruptedException {
    try {
      Reply reply = replicas.get(current).call(request, ATTEMPT);
      if (reply.getErrno() != Errno.EAGAIN.code()) {
        return reply;
      }
    } catch (RpcException e) {
      LOG.debug("Not answered: {}", e.getMessage());
    }
    current = (current + 1) % replicas.size();
    return null;
  }
}
