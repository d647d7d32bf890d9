package io.regionfs.verbs.disni;

import com.ibm.disni.verbs.IbvContext;
import io.regionfs.verbs.DeviceLimits;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * What soft-iWARP needs. Its driver numbers the pages of a process's queues, and its library takes
 * page 144 for a failure (SIW_INVAL_UOBJ_KEY in siw-abi.h of old, 0x90000): the process would get
 * no further queue, after a dozen connections. A queue that nobody uses takes that page out of the
 * way.
 */
final class SoftIwarp {
  private static final String DEVICE_PREFIX = "siw";
  private static final int BYTES_PER_COMPLETION = 32;
  private static final int PAGES = 145;
  private static final int PAGE_BYTES = 4096;

  private SoftIwarp() {}

  /** The queue, to be closed with the device; null for other devices. */
  static @Nullable CompletionQueue obstacle(IbvContext context, DeviceLimits limits)
      throws IOException {
    return limits.device().startsWith(DEVICE_PREFIX)
        ? CompletionQueue.open(context, PAGES * PAGE_BYTES / BYTES_PER_COMPLETION)
        : null;
  }
}
