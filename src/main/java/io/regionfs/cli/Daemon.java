package io.regionfs.cli;

import io.regionfs.daemon.CommandFailure;
import io.regionfs.daemon.Service;
import io.regionfs.model.FsException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The life of a process that serves until it is told to end: by SIGTERM or SIGINT, or because what
 * it serves has ended. Both ends are clean and give exit code 0.
 */
final class Daemon {
  /** Starts the service. */
  interface Start {
    /**
     * @throws CommandFailure or FsException or IOException with a message for the user
     */
    Service start() throws IOException, InterruptedException;
  }

  private Daemon() {}

  /**
   * Runs the service to its end.
   *
   * @param inBackground a command waits to hear that it is usable
   * @param stateDirectory has the log if it runs in the background
   */
  static int run(Start start, boolean inBackground, Path stateDirectory)
      throws InterruptedException {
    Logging.to(inBackground ? stateDirectory.resolve(Background.LOG_FILE) : null);
    Logger log = LoggerFactory.getLogger(Daemon.class);
    Service service;
    try {
      service = start.start();
    } catch (IOException | CommandFailure | FsException e) {
      log.debug("not started", e);
      String reason = e.getMessage() == null ? e.toString() : e.getMessage();
      if (inBackground) {
        log.error("Not started: {}", reason);
        Background.failed(reason);
        return Main.FAILED;
      }
      throw new CommandFailure(reason, e);
    } catch (RuntimeException | Error e) {
      log.error("Not started", e);
      if (inBackground) {
        Background.failed("internal error: " + e + "; see the log in " + stateDirectory);
      }
      throw e;
    }
    AtomicBoolean closed = new AtomicBoolean();
    Thread onSignal = new Thread(() -> endOnSignal(service, closed), "end");
    Runtime.getRuntime().addShutdownHook(onSignal);
    if (inBackground) {
      Background.ready(service.remark());
    }
    try {
      service.awaitEnd();
    } finally {
      if (closed.compareAndSet(false, true)) {
        service.close();
      } else {
        onSignal.join();
      }
    }
    return Main.DONE;
  }

  /** Java would end with 143 after SIGTERM; a service that was told to end has done its job. */
  private static void endOnSignal(Service service, AtomicBoolean closed) {
    if (closed.compareAndSet(false, true)) {
      service.close();
      Runtime.getRuntime().halt(Main.DONE);
    }
  }
}
