package io.regionfs.metaserver.state;

import io.regionfs.model.Errno;
import io.regionfs.proto.Command;
import io.regionfs.proto.Reply;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The answers that clients may still ask for again, so that a command seen twice is applied once. A
 * client says up to which sequence number it has its answers; those are forgotten. A client that
 * was silent for a day is forgotten whole.
 */
final class Answers {
  /**
   * Answers kept per client. A client has no more commands under way than this, so that none it can
   * repeat is missing.
   */
  private static final int MAX_PER_CLIENT = 4096;

  private static final long SILENT_NANOS = 86_400_000_000_000L;

  /** Least recently heard of first. */
  private final LinkedHashMap<Long, Client> clients = new LinkedHashMap<>(16, 0.75f, true);

  private static final class Client {
    private final TreeMap<Long, Reply> answers = new TreeMap<>();
    private long acknowledged;
    private long lastHeard;
  }

  /** The answer to give without applying the command; null if it is new. */
  @Nullable Reply repeated(Command command) {
    Client client = clients.get(command.getClientId());
    if (client == null) {
      return null;
    }
    Reply answer = client.answers.get(command.getSequence());
    if (answer == null && command.getSequence() <= client.acknowledged) {
      return Replies.refusal(Errno.EIO, "a command that was answered before came again");
    }
    return answer;
  }

  void keep(Command command, Reply reply, long now) {
    Client client = clients.get(command.getClientId());
    if (client == null) {
      forgetSilent(now);
      client = new Client();
      clients.put(command.getClientId(), client);
    }
    client.lastHeard = now;
    client.answers.put(command.getSequence(), reply);
    client.acknowledged = Math.max(client.acknowledged, command.getAcknowledged());
    client.answers.headMap(client.acknowledged, true).clear();
    while (client.answers.size() > MAX_PER_CLIENT) {
      client.acknowledged = client.answers.firstKey();
      client.answers.remove(client.acknowledged);
    }
  }

  private void forgetSilent(long now) {
    Iterator<Client> eldest = clients.values().iterator();
    while (eldest.hasNext() && now - eldest.next().lastHeard > SILENT_NANOS) {
      eldest.remove();
    }
  }

  void addTo(Fingerprint print) {
    for (Map.Entry<Long, Client> entry : clients.entrySet()) {
      Client client = entry.getValue();
      print.add(entry.getKey()).add(client.acknowledged).add(client.lastHeard);
      client.answers.forEach((sequence, reply) -> print.add(sequence).add(reply.toByteString()));
    }
  }
}
