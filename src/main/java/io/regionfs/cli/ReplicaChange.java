package io.regionfs.cli;

import io.regionfs.daemon.CommandFailure;
import io.regionfs.daemon.ReplicaCalls;
import io.regionfs.proto.Administration;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * A change of the replicas that is asked of the leader until it is seen to be done: the leader may
 * change meanwhile, or be the one that goes.
 */
final class ReplicaChange {
  private static final Duration ATTEMPT = Duration.ofMinutes(10);

  /** How long it goes on while there is no leader. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private static final long PAUSE_MILLIS = 300;

  private final ReplicaCalls replicas;
  private final PrintWriter out;

  ReplicaChange(ReplicaCalls replicas, PrintWriter out) {
    this.replicas = replicas;
    this.out = out;
  }

  /**
   * @param text what is done, for the user
   * @param done whether it is, by the replicas' answers
   * @throws CommandFailure with the leader's reason if it refuses, or if it cannot be done in time
   */
  void carryOut(String text, Administration.Builder what, Predicate<List<ReplicaCalls.Answer>> done)
      throws InterruptedException {
    say(text + " …");
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      List<ReplicaCalls.Answer> answers = replicas.status();
      if (done.test(answers)) {
        say("done");
        return;
      }
      boolean late = System.nanoTime() - end > 0;
      if (late) {
        ReplicaCalls.needLeader(answers);
      }
      var leader = ReplicaCalls.leader(answers);
      if (leader.isPresent()) {
        String failure = replicas.command(leader.get().address(), what, ATTEMPT);
        if (failure != null && !failure.isEmpty()) {
          throw new CommandFailure(failure);
        }
        if (failure == null && late) {
          throw new CommandFailure(
              "the leaders changed too often: 'regionfs meta status' shows whether it was done");
        }
        if (failure != null && late) {
          throw new CommandFailure(
              "the leader says that it is done, but the replicas do not show it yet: see 'regionfs"
                  + " meta status'");
        }
      }
      TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
    }
  }

  private void say(String text) {
    out.println(text);
    out.flush();
  }
}
