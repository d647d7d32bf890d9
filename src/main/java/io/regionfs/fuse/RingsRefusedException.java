package io.regionfs.fuse;

import java.io.IOException;

/** The kernel does not do FUSE over io_uring with us, for the reason in the message. */
final class RingsRefusedException extends IOException {
  private static final long serialVersionUID = 1;

  RingsRefusedException(String reason, Throwable cause) {
    super(reason, cause);
  }
}
