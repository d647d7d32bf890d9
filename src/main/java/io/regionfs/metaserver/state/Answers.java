package io.regionfs.metaserver.state;

import io.regionfs.model.Errno;
import io.regionfs.proto.Command;
import io.regionfs.proto.Reply;
import io.regionfs.proto.SnapshotAnswer;
import io.regionfs.proto.SnapshotSession;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The sessions of clients, each with the answers that its client may still ask for again, so that a
 * command seen twice is applied once. A client says up to which sequence number it has its answers;
 * those are forgotten. Sessions end by command only.
 */
final class Answers {
  /**
   * Answers kept per client. A client has no more commands under way than this, so that none it can
   * repeat is missing.
   */
  private static final int MAX_PER_CLIENT = 4096;

  private final TreeMap<Long, Client> clients = new TreeMap<>();

  private static final class Client {
    private final TreeMap<Long, Reply> answers = new TreeMap<>();
    private long acknowledged;
    private long lastHeard;
  }

  /** The answer to give without applying the command; null if it is new. */
  @Nullable Reply repeated(long clientId, long sequence) {
    Client client = clients.get(clientId);
    if (client == null) {
      return null;
    }
    Reply answer = client.answers.get(sequence);
    if (answer == null && sequence <= client.acknowledged) {
      return Replies.refusal(Errno.EIO, "a command that was answered before came again");
    }
    return answer;
  }

  /** Refuses a command whose client has no session and does not open one. */
  boolean mayRun(Command command) {
    return command.getOperation().hasOpenSession() || clients.containsKey(command.getClientId());
  }

  /** Opens the session if there is none. */
  void keep(Command command, Reply reply, long now) {
    Client client = clients.computeIfAbsent(command.getClientId(), id -> new Client());
    client.lastHeard = now;
    client.answers.put(command.getSequence(), reply);
    client.acknowledged = Math.max(client.acknowledged, command.getAcknowledged());
    client.answers.headMap(client.acknowledged, true).clear();
    while (client.answers.size() > MAX_PER_CLIENT) {
      client.acknowledged = client.answers.firstKey();
      client.answers.remove(client.acknowledged);
    }
  }

  void end(List<Long> ids) {
    ids.forEach(clients::remove);
  }

  List<Long> clients() {
    return List.copyOf(clients.keySet());
  }

  long lastHeard(long clientId) {
    Client client = clients.get(clientId);
    return client == null ? 0 : client.lastHeard;
  }

  List<SnapshotSession> records() {
    List<SnapshotSession> records = new ArrayList<>(clients.size());
    clients.forEach(
        (id, client) -> {
          SnapshotSession.Builder session =
              SnapshotSession.newBuilder()
                  .setClient(id)
                  .setAcknowledged(client.acknowledged)
                  .setLastHeard(client.lastHeard);
          client.answers.forEach(
              (sequence, reply) ->
                  session.addAnswersBuilder().setSequence(sequence).setReply(reply));
          records.add(session.build());
        });
    return records;
  }

  void restore(SnapshotSession record) {
    Client client = new Client();
    client.acknowledged = record.getAcknowledged();
    client.lastHeard = record.getLastHeard();
    for (SnapshotAnswer answer : record.getAnswersList()) {
      client.answers.put(answer.getSequence(), answer.getReply());
    }
    clients.put(record.getClient(), client);
  }

  void addTo(Fingerprint print) {
    for (Map.Entry<Long, Client> entry : clients.entrySet()) {
      Client client = entry.getValue();
      print.add(entry.getKey()).add(client.acknowledged).add(client.lastHeard);
      client.answers.forEach((sequence, reply) -> print.add(sequence).add(reply.toByteString()));
    }
  }
}
