package io.regionfs.metaserver;

/**
 * The log did not say what became of a command or a barrier. No answer that could be taken for an
 * outcome may be made of this: the caller asks again, under the same number.
 */
final class LogFailure extends RuntimeException {
  LogFailure(Throwable cause) {
    super("the log did not answer: " + reason(cause), cause);
  }

  private static String reason(Throwable cause) {
    String message = cause.getMessage();
    return message == null ? cause.toString() : message;
  }
}
