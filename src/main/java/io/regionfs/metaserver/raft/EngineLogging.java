package io.regionfs.metaserver.raft;

import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Keeps the engine's libraries from writing where nobody asked them to. The engine itself and its
 * transport log through SLF4J, under com.alipay.
 */
final class EngineLogging {
  // Held, as levels of loggers nobody holds are forgotten. It warns of the engine's messages, which
  // were generated long ago and come from replicas only.
  private static final Logger PROTOBUF = Logger.getLogger("com.google.protobuf.GeneratedMessage");

  private EngineLogging() {}

  /** Before the first class of the engine's transport is loaded. */
  static void restrain() {
    PROTOBUF.setLevel(Level.SEVERE);
    // The transport would open files of its own in the home directory.
    System.setProperty("sofa.middleware.log.disable", "true");
    System.setProperty("sofa.middleware.log.internal.level", "ERROR");
  }
}
