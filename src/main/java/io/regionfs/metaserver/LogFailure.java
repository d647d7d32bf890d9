package io.regionfs.metaserver;

/**
 * The log did not say what became of a command or a barrier. No answer that could be taken for an
 * outcome may be made of this: the caller asks again, under the same number.
 */
final class LogFailure extends RuntimeException {
  LogFailure(Throwable cause) {
    super("the log did not answer: " + cause, cause);
  }
}
