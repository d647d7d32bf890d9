package io.regionfs.cli;

/**
 * A command that cannot do what it was asked for. The message is all the user sees, after the
 * command's name: one line that says what is wrong and what to do.
 */
final class CommandFailure extends RuntimeException {
  CommandFailure(String message) {
    super(message);
  }

  CommandFailure(String message, Throwable cause) {
    super(message, cause);
  }
}
