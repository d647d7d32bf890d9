package io.regionfs.verbs.disni;

import java.time.Duration;

/**
 * How the ends of a connection find out that the other has vanished: nothing else tells them, as
 * reliable connections have no keep-alive.
 *
 * @param period between two heartbeats of the end that connected
 * @param answer how long one may take, until that end gives the connection up
 * @param patience without one, until the end that accepted gives it up; below the 10 s of a node's
 *     lease, so that what a dead node had under way is over when its lease is
 */
record Pulse(Duration period, Duration answer, Duration patience) {
  static final Pulse DEFAULT =
      new Pulse(Duration.ofSeconds(1), Duration.ofSeconds(4), Duration.ofSeconds(8));
}
