package io.regionfs.verbs.disni;

import com.ibm.disni.verbs.IbvCQ;
import com.ibm.disni.verbs.IbvContext;
import com.ibm.disni.verbs.impl.NatIbvCQ;
import java.io.IOException;

/** A completion queue that is alone on its channel. Used by one thread at a time. */
interface CompletionQueue extends AutoCloseable {
  /** Most completions taken at a time. */
  int MOST = 16;

  /** In the way that suits the device: libdisni's in one call, others step by step. */
  static CompletionQueue open(IbvContext context, int entries) throws IOException {
    SteppedCompletionQueue made = new SteppedCompletionQueue(context, entries);
    return made.queue() instanceof NatIbvCQ queue ? new NativeCompletionQueue(made, queue) : made;
  }

  IbvCQ queue();

  /** Takes completions off the queue; {@link #id} and {@link #status} tell of them. */
  int poll() throws IOException;

  /**
   * Waits for completions, at most so long, and takes them off the queue. To be called when a poll
   * found none. May return early with none.
   */
  int await(int millis) throws IOException;

  /** Of the work request. */
  long id(int index);

  /** See {@link CompletionStatus}. */
  int status(int index);

  @Override
  void close();
}
