package io.regionfs.cli;

import io.regionfs.daemon.ReplicaCalls;
import io.regionfs.proto.AdministrationReply;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * Compares the checksums of the replicas' states. Each gives its own as it stands, so they are
 * asked again until all were seen after the same entry of the log.
 */
final class ReplicaComparison {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final long PAUSE_MILLIS = 100;

  private final Map<Integer, Map<Long, Long>> seen = new TreeMap<>();

  private ReplicaComparison() {}

  /**
   * @param equal all replicas were compared and none differs
   */
  record Result(boolean equal, String text) {}

  static Result of(ReplicaCalls replicas) throws InterruptedException {
    ReplicaComparison comparison = new ReplicaComparison();
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      List<ReplicaCalls.Answer> answers = replicas.verify();
      comparison.note(answers);
      String difference = comparison.difference();
      if (!difference.isEmpty()) {
        return new Result(false, difference);
      }
      String missing = missing(answers);
      long common = comparison.common();
      if (common >= 0 || (!missing.isEmpty() && comparison.seen.isEmpty())) {
        return missing.isEmpty()
            ? new Result(true, comparison.equal(common))
            : new Result(false, "not compared: replica " + missing);
      }
      if (System.nanoTime() - end > 0) {
        return new Result(
            false,
            "not compared: the replicas were never seen after the same entry; try again when less"
                + " is being changed");
      }
      TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
    }
  }

  private void note(List<ReplicaCalls.Answer> answers) {
    for (ReplicaCalls.Answer answer : answers) {
      AdministrationReply reply = answer.reply();
      if (reply != null) {
        seen.computeIfAbsent(answer.id(), id -> new HashMap<>())
            .put(reply.getFingerprintIndex(), reply.getFingerprint());
      }
    }
  }

  private static String missing(List<ReplicaCalls.Answer> answers) {
    return answers.stream()
        .filter(answer -> answer.reply() == null)
        .map(answer -> answer.id() + " (" + answer.error() + ")")
        .collect(Collectors.joining(", "));
  }

  private String difference() {
    Map<Long, Map.Entry<Integer, Long>> first = new HashMap<>();
    for (Map.Entry<Integer, Map<Long, Long>> one : seen.entrySet()) {
      for (Map.Entry<Long, Long> print : one.getValue().entrySet()) {
        Map.Entry<Integer, Long> other =
            first.putIfAbsent(print.getKey(), Map.entry(one.getKey(), print.getValue()));
        if (other != null && !other.getValue().equals(print.getValue())) {
          return "DIFFERENT: replicas "
              + other.getKey()
              + " and "
              + one.getKey()
              + " after entry "
              + print.getKey();
        }
      }
    }
    return "";
  }

  /** An entry after which all were seen; -1: none. */
  private long common() {
    Set<Long> indices = null;
    for (Map<Long, Long> prints : seen.values()) {
      if (indices == null) {
        indices = new HashSet<>(prints.keySet());
      } else {
        indices.retainAll(prints.keySet());
      }
    }
    return indices == null || indices.isEmpty() ? -1 : indices.iterator().next();
  }

  private String equal(long index) {
    Long print = seen.values().iterator().next().get(index);
    return (seen.size() == 1 ? "1 replica" : seen.size() + " replicas are equal")
        + " after entry "
        + index
        + ", checksum "
        + (print == null ? "" : Long.toHexString(print));
  }
}
