package io.regionfs.daemon;

import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What was opened one after the other, to be closed in reverse. A failure to close is logged and
 * does not keep the rest open. Confined to one thread at a time.
 */
final class Lifetimes implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Lifetimes.class);

  private final Deque<Lifetime> open = new ArrayDeque<>();

  private record Lifetime(String what, AutoCloseable resource) {}

  /** Takes charge of a resource and returns it. */
  <T extends AutoCloseable> T add(String what, T resource) {
    open.push(new Lifetime(what, resource));
    return resource;
  }

  @Override
  @SuppressWarnings("InterruptedExceptionSwallowed") // logged as any other: closing goes on
  public void close() {
    while (!open.isEmpty()) {
      Lifetime last = open.pop();
      try {
        LOG.debug("closing {}", last.what());
        last.resource().close();
      } catch (Exception e) {
        LOG.error("Could not close {}", last.what(), e);
      }
    }
  }
}
