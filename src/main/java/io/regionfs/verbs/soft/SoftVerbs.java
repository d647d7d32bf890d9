package io.regionfs.verbs.soft;

import com.ibm.disni.verbs.IbvCQ;
import com.ibm.disni.verbs.IbvCompChannel;
import com.ibm.disni.verbs.IbvContext;
import com.ibm.disni.verbs.IbvMr;
import com.ibm.disni.verbs.IbvPd;
import com.ibm.disni.verbs.IbvQP;
import com.ibm.disni.verbs.IbvRecvWR;
import com.ibm.disni.verbs.IbvSendWR;
import com.ibm.disni.verbs.IbvWC;
import com.ibm.disni.verbs.RdmaVerbs;
import com.ibm.disni.verbs.SVCDeregMr;
import com.ibm.disni.verbs.SVCPollCq;
import com.ibm.disni.verbs.SVCPostRecv;
import com.ibm.disni.verbs.SVCPostSend;
import com.ibm.disni.verbs.SVCRegMr;
import com.ibm.disni.verbs.SVCReqNotify;
import io.regionfs.posix.Memory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** DiSNI's verbs; every call finds its device through the objects that it is given. */
final class SoftVerbs extends RdmaVerbs {
  @Override
  public IbvPd allocPd(IbvContext context) throws IOException {
    SoftContext soft = (SoftContext) context;
    return new SoftProtectionDomain(soft, soft.device().nextDomainHandle());
  }

  @Override
  public IbvCompChannel createCompChannel(IbvContext context) throws IOException {
    return new SoftCompletionChannel(context);
  }

  @Override
  public IbvCQ createCQ(
      IbvContext context, @Nullable IbvCompChannel channel, int entries, int vector)
      throws IOException {
    int most = ((SoftContext) context).device().options().maxCompletions();
    if (entries < 1 || entries > most) {
      throw new IOException("a completion queue has 1 to " + most + " entries, not " + entries);
    }
    return new SoftCompletionQueue(context, (SoftCompletionChannel) channel, entries);
  }

  @Override
  public boolean getCqEvent(IbvCompChannel channel, IbvCQ queue, int timeout) throws IOException {
    return ((SoftCompletionChannel) channel).await(timeout);
  }

  @Override
  public SVCRegMr regMr(IbvPd domain, ByteBuffer buffer, int access) throws IOException {
    return new SoftRegistration(
        (SoftProtectionDomain) domain, Memory.addressOf(buffer), buffer.capacity(), access, buffer);
  }

  @Override
  public SVCRegMr regMr(IbvPd domain, long address, int length, int access) throws IOException {
    return new SoftRegistration((SoftProtectionDomain) domain, address, length, access, null);
  }

  @Override
  public int queryOdpSupport(IbvContext context) {
    return -1;
  }

  @Override
  public int expPrefetchMr(IbvMr region, long address, int length) throws IOException {
    throw new IOException("no on-demand paging");
  }

  @Override
  public SVCDeregMr deregMr(IbvMr region) throws IOException {
    return new SoftRegistration.Withdrawal((SoftMemoryRegion) region);
  }

  @Override
  public SVCPostSend postSend(IbvQP pair, List<IbvSendWR> requests, @Nullable List<IbvSendWR> bad)
      throws IOException {
    return new SoftPostSend((SoftQueuePair) pair, requests);
  }

  @Override
  public SVCPostRecv postRecv(IbvQP pair, List<IbvRecvWR> requests, @Nullable List<IbvRecvWR> bad)
      throws IOException {
    return new SoftPostReceive((SoftQueuePair) pair, requests);
  }

  @Override
  public SVCPollCq pollCQ(IbvCQ queue, IbvWC[] completions, int count) throws IOException {
    return new Poll((SoftCompletionQueue) queue, completions, count);
  }

  @Override
  public SVCReqNotify reqNotifyCQ(IbvCQ queue, boolean solicited) throws IOException {
    return new Arm((SoftCompletionQueue) queue, solicited);
  }

  @Override
  public int ackCqEvents(IbvCQ queue, int count) {
    return 0;
  }

  @Override
  public int destroyCompChannel(IbvCompChannel channel) throws IOException {
    ((SoftCompletionChannel) channel).destroy();
    return 0;
  }

  @Override
  public int deallocPd(IbvPd domain) {
    domain.close();
    return 0;
  }

  @Override
  public int destroyCQ(IbvCQ queue) throws IOException {
    ((SoftCompletionQueue) queue).destroy();
    return 0;
  }

  /** Takes completions out of a queue. */
  private static final class Poll extends SVCPollCq {
    private final SoftCompletionQueue queue;
    private final IbvWC[] completions;
    private final int wanted;
    private int polled;

    Poll(SoftCompletionQueue queue, IbvWC[] completions, int wanted) {
      this.queue = queue;
      this.completions = completions;
      this.wanted = wanted;
    }

    @Override
    public int getPolls() {
      return polled;
    }

    @Override
    public SVCPollCq execute() throws IOException {
      polled = queue.pollInto(completions, wanted);
      return this;
    }

    @Override
    public boolean isValid() {
      return queue.isOpen();
    }

    @Override
    public SVCPollCq free() {
      return this;
    }
  }

  /** Asks for an event. */
  private static final class Arm extends SVCReqNotify {
    private final SoftCompletionQueue queue;
    private final boolean solicited;

    Arm(SoftCompletionQueue queue, boolean solicited) {
      this.queue = queue;
      this.solicited = solicited;
    }

    @Override
    public SVCReqNotify execute() throws IOException {
      if (!queue.isOpen()) {
        throw new IOException("completion queue is destroyed");
      }
      queue.arm(solicited);
      return this;
    }

    @Override
    public boolean isValid() {
      return queue.isOpen();
    }

    @Override
    public SVCReqNotify free() {
      return this;
    }
  }
}
