package io.regionfs.verbs.disni;

import com.ibm.disni.util.MemBuf;
import com.ibm.disni.util.MemoryAllocation;
import com.ibm.disni.verbs.IbvCQ;
import com.ibm.disni.verbs.IbvWC;
import com.ibm.disni.verbs.SVCPollCq;
import com.ibm.disni.verbs.impl.NatPollCqCall;
import com.ibm.disni.verbs.impl.NativeDispatcher;
import com.ibm.disni.verbs.impl.RdmaVerbsNat;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;

/**
 * DiSNI's native verbs whose error completions name their queue pair: libdisni says it, but DiSNI
 * reads that word of a completion only if it succeeded.
 */
final class NativeCompletions extends RdmaVerbsNat {
  /** In struct ibv_wc: wr_id (8), status, opcode, vendor_err, byte_len, imm_data, qp_num. */
  private static final int QUEUE_PAIR_OFFSET = 8 + 5 * 4;

  private final NativeDispatcher library;

  NativeCompletions(NativeDispatcher library) {
    super(library);
    this.library = library;
  }

  @Override
  public SVCPollCq pollCQ(IbvCQ queue, IbvWC[] completions, int count) {
    return new Poll(queue, completions, count);
  }

  private final class Poll extends NatPollCqCall {
    private final IbvWC[] completions;
    private final ByteBuffer raw;

    Poll(IbvCQ queue, IbvWC[] completions, int count) {
      super(
          NativeCompletions.this,
          library,
          MemoryAllocation.getInstance(),
          queue,
          completions,
          count);
      this.completions = completions;
      try {
        Field field = NatPollCqCall.class.getDeclaredField("cmd");
        field.setAccessible(true);
        raw = ((MemBuf) field.get(this)).getBuffer();
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException("this DiSNI polls in another way", e);
      }
    }

    @Override
    public SVCPollCq execute() throws IOException {
      super.execute();
      for (int i = 0; i < getPolls(); i++) {
        if (completions[i].getStatus() != CompletionStatus.SUCCESS) {
          completions[i].setQp_num(raw.getInt(i * IbvWC.CSIZE + QUEUE_PAIR_OFFSET));
        }
      }
      return this;
    }
  }
}
