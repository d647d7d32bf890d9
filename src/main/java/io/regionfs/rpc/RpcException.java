package io.regionfs.rpc;

/** A call that ended without a reply. */
public final class RpcException extends Exception {
  /** What is known of the request's fate. */
  public enum Outcome {
    /** It never left: the peer cannot have seen it. */
    NOT_SENT,
    /**
     * It was sent; the peer may or may not have carried it out. Retry under the same request id.
     */
    UNKNOWN
  }

  private final Outcome outcome;

  public RpcException(Outcome outcome, String detail) {
    super(detail);
    this.outcome = outcome;
  }

  public RpcException(Outcome outcome, String detail, Throwable cause) {
    super(detail, cause);
    this.outcome = outcome;
  }

  public Outcome outcome() {
    return outcome;
  }
}
