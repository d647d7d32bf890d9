package io.regionfs.daemon;

/**
 * A command that cannot do what it was asked for. The message is all the user sees, after the
 * command's name: one line that says what is wrong and what to do.
 */
public final class CommandFailure extends RuntimeException {
  public CommandFailure(String message) {
    super(message);
  }

  public CommandFailure(String message, Throwable cause) {
    super(message, cause);
  }
}
