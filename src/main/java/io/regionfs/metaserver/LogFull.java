package io.regionfs.metaserver;

/** The command was not appended, as there is no room under the log; it will be taken later. */
public final class LogFull extends RuntimeException {
  public LogFull(String detail) {
    super(detail);
  }
}
