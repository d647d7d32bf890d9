package io.regionfs.meta;

import java.security.SecureRandom;

/**
 * A client as the service knows it: an id, and the numbers of its commands. One that has been ended
 * by the service is never used again, so that no command of it can count a second time.
 */
final class ClientSession {
  private static final SecureRandom RANDOM = new SecureRandom();

  private final long id = randomId();
  private final Sequences sequences = new Sequences();

  private static long randomId() {
    long id = RANDOM.nextLong();
    return id == 0 ? 1 : id; // 0 is the service itself
  }

  long id() {
    return id;
  }

  Sequences sequences() {
    return sequences;
  }
}
