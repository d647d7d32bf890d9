package io.regionfs.verbs.soft;

import com.ibm.disni.verbs.IbvContext;
import java.io.IOException;

/** The opened device. */
final class SoftContext extends IbvContext {
  /** DiSNI uses the number as the key of a map, never as a descriptor. */
  private static final int COMMAND_FD = 1 << 20;

  private final SoftDevice device;

  SoftContext(SoftDevice device) throws IOException {
    super(COMMAND_FD, 1);
    this.device = device;
  }

  SoftDevice device() {
    return device;
  }
}
