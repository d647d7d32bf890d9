package io.regionfs.verbs.disni;

import com.ibm.disni.verbs.IbvCQ;
import com.ibm.disni.verbs.impl.NatIbvCQ;
import io.regionfs.posix.Memory;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A queue of libdisni's: waiting is one call into it instead of DiSNI's five, and a completion is
 * read where the device's library has put it.
 */
final class NativeCompletionQueue implements CompletionQueue {
  private final SteppedCompletionQueue made;
  private final long handle;
  private final ByteBuffer completions =
      ByteBuffer.allocateDirect(MOST * NativeVerbs.COMPLETION_BYTES);
  private final long address = Memory.addressOf(completions);

  /**
   * @param made is closed with this queue
   */
  NativeCompletionQueue(SteppedCompletionQueue made, NatIbvCQ queue) {
    this.made = made;
    this.handle = queue.getObjId();
  }

  @Override
  public IbvCQ queue() {
    return made.queue();
  }

  @Override
  public int poll() throws IOException {
    return NativeVerbs.poll(handle, address, MOST);
  }

  @Override
  public int await(int millis) throws IOException {
    return NativeVerbs.await(handle, millis, address, MOST);
  }

  @Override
  public long id(int index) {
    return Memory.getLong(at(index) + NativeVerbs.COMPLETION_ID);
  }

  @Override
  public int status(int index) {
    return Memory.getInt(at(index) + NativeVerbs.COMPLETION_STATUS);
  }

  private long at(int index) {
    return address + (long) index * NativeVerbs.COMPLETION_BYTES;
  }

  @Override
  public void close() {
    made.close();
  }
}
