package io.regionfs.model;

/** The one failure above {@code data} and {@code meta}: an error number and what happened. */
public final class FsException extends RuntimeException {
  private final Errno errno;

  public FsException(Errno errno, String detail) {
    super(errno + ": " + detail);
    this.errno = errno;
  }

  public FsException(Errno errno, String detail, Throwable cause) {
    super(errno + ": " + detail, cause);
    this.errno = errno;
  }

  public Errno errno() {
    return errno;
  }
}
