package io.regionfs.verbs.soft;

import com.ibm.disni.verbs.IbvPd;
import java.io.IOException;

/** Memory and queue pairs belong together only within one of these. */
final class SoftProtectionDomain extends IbvPd {
  private final SoftContext softContext;

  SoftProtectionDomain(SoftContext context, int handle) throws IOException {
    super(context);
    softContext = context;
    this.handle = handle;
  }

  SoftDevice device() {
    return softContext.device();
  }
}
