package io.regionfs.cli.doctor;

/**
 * One check's outcome.
 *
 * @param advice what to do; empty if nothing is to be done
 */
public record Finding(String check, Verdict verdict, String found, String advice) {
  /** How bad it is. */
  public enum Verdict {
    OK,
    /** Something will not work, or not well. */
    WARN,
    /** Nothing can be mounted, or not with the options that were asked about. */
    FAIL
  }

  static Finding ok(String check, String found) {
    return new Finding(check, Verdict.OK, found, "");
  }

  static Finding warn(String check, String found, String advice) {
    return new Finding(check, Verdict.WARN, found, advice);
  }

  static Finding fail(String check, String found, String advice) {
    return new Finding(check, Verdict.FAIL, found, advice);
  }

  /** From a message that says what is wrong and, after a colon, what to do. */
  static Finding of(String check, Verdict verdict, Exception e) {
    String message = String.valueOf(e.getMessage());
    int colon = message.indexOf(": ");
    return colon < 0
        ? new Finding(check, verdict, message, "")
        : new Finding(check, verdict, message.substring(0, colon), message.substring(colon + 2));
  }
}
