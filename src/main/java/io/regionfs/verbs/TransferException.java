package io.regionfs.verbs;

/** A batch of one-sided operations that did not complete. Its connection is of no further use. */
public final class TransferException extends Exception {
  /** Why it ended. */
  public enum Reason {
    /**
     * The peer refused: key unknown or withdrawn, out of bounds, access not granted. iWARP does not
     * say so: there it is DISCONNECTED.
     */
    REMOTE_ACCESS,
    /** The connection is gone or could not be made. */
    DISCONNECTED,
    /** No completion within the deadline; the connection was ended so that none comes late. */
    TIMED_OUT,
    /** The work request itself was wrong: local key, length, queue depth. */
    LOCAL
  }

  private final Reason reason;

  public TransferException(Reason reason, String detail) {
    super(reason + ": " + detail);
    this.reason = reason;
  }

  public TransferException(Reason reason, String detail, Throwable cause) {
    super(reason + ": " + detail, cause);
    this.reason = reason;
  }

  public Reason reason() {
    return reason;
  }
}
