package io.regionfs.metaserver.state;

import io.regionfs.model.Errno;

/**
 * An operation that the namespace refuses. Thrown before anything was changed; it is an answer, so
 * it carries no stack trace.
 */
final class Refusal extends RuntimeException {
  private final Errno errno;

  Refusal(Errno errno, String detail) {
    super(detail, null, false, false);
    this.errno = errno;
  }

  Errno errno() {
    return errno;
  }
}
