package io.regionfs.cli;

import java.time.Duration;

/** What goes on, on all hosts of a cluster, while something happens to it. */
interface Work {
  Duration PATIENCE = Shell.patience(Duration.ofSeconds(60));

  /** Goes on in threads of its own from now on. */
  void begin() throws Exception;

  /** Something has happened: whether all is still as it should be. */
  default void look() throws Exception {}

  /** The threads end soon. Also where it has not begun. */
  void end();

  /** After the end: waits for it, and for whatever is to be seen then. */
  void check() throws Exception;
}
