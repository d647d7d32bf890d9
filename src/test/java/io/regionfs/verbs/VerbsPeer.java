package io.regionfs.verbs;

import static org.assertj.core.api.Assertions.assertThat;

import com.ibm.disni.verbs.IbvCQ;
import com.ibm.disni.verbs.IbvCompChannel;
import com.ibm.disni.verbs.IbvMr;
import com.ibm.disni.verbs.IbvPd;
import com.ibm.disni.verbs.IbvQP;
import com.ibm.disni.verbs.IbvQPInitAttr;
import com.ibm.disni.verbs.IbvRecvWR;
import com.ibm.disni.verbs.IbvSendWR;
import com.ibm.disni.verbs.IbvSge;
import com.ibm.disni.verbs.IbvWC;
import com.ibm.disni.verbs.RdmaCmId;
import com.ibm.disni.verbs.SVCPollCq;
import com.ibm.disni.verbs.SVCReqNotify;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedList;
import java.util.List;

/** One end of a connection in a test, with all that belongs to it. */
public final class VerbsPeer implements AutoCloseable {
  public static final int DEADLINE_MILLIS = 20_000;

  /** How large the queues are. */
  public record Shape(int sends, int receives, int segments, int inline, int completions) {
    public static Shape usual() {
      return new Shape(32, 32, 4, 64, 128);
    }
  }

  public final RdmaCmId id;
  public final IbvPd pd;
  public final IbvCompChannel channel;
  public final IbvCQ cq;
  public final IbvQP qp;
  private final List<IbvMr> regions = new ArrayList<>();
  private final SVCReqNotify notify;
  private final IbvWC[] polled = {new IbvWC()};
  private final SVCPollCq poll;

  public VerbsPeer(RdmaCmId id, Shape shape) throws IOException {
    this.id = id;
    pd = id.getVerbs().allocPd();
    channel = id.getVerbs().createCompChannel();
    cq = id.getVerbs().createCQ(channel, shape.completions(), 0);
    IbvQPInitAttr attributes = new IbvQPInitAttr();
    attributes.cap().setMax_send_wr(shape.sends());
    attributes.cap().setMax_recv_wr(shape.receives());
    attributes.cap().setMax_send_sge(shape.segments());
    attributes.cap().setMax_recv_sge(shape.segments());
    attributes.cap().setMax_inline_data(shape.inline());
    attributes.setQp_type(IbvQP.IBV_QPT_RC);
    attributes.setSend_cq(cq);
    attributes.setRecv_cq(cq);
    qp = id.createQP(pd, attributes);
    notify = cq.reqNotification(false);
    poll = cq.poll(polled, 1);
  }

  public IbvMr register(ByteBuffer buffer, int access) throws IOException {
    IbvMr region = pd.regMr(buffer, access).execute().getMr();
    regions.add(region);
    return region;
  }

  public void deregister(IbvMr region) throws IOException {
    regions.remove(region);
    region.deregMr().execute();
  }

  public static IbvSge piece(IbvMr region, int offset, int length) {
    IbvSge piece = new IbvSge();
    piece.setAddr(region.getAddr() + offset);
    piece.setLength(length);
    piece.setLkey(region.getLkey());
    return piece;
  }

  @SuppressWarnings("JdkObsolete") // the type that DiSNI wants
  public static IbvSendWR request(long number, int opcode, IbvSge... pieces) {
    IbvSendWR request = new IbvSendWR();
    request.setWr_id(number);
    request.setOpcode(opcode);
    request.setSend_flags(IbvSendWR.IBV_SEND_SIGNALED);
    request.setSg_list(new LinkedList<>(List.of(pieces)));
    request.setNum_sge(pieces.length);
    return request;
  }

  public static IbvSendWR at(IbvSendWR request, long address, int key) {
    request.getRdma().setRemote_addr(address);
    request.getRdma().setRkey(key);
    return request;
  }

  public void post(IbvSendWR... requests) throws IOException {
    qp.postSend(List.of(requests), null).execute().free();
  }

  @SuppressWarnings("JdkObsolete") // the type that DiSNI wants
  public void receive(long number, IbvSge... pieces) throws IOException {
    IbvRecvWR request = new IbvRecvWR();
    request.setWr_id(number);
    request.setSg_list(new LinkedList<>(List.of(pieces)));
    request.setNum_sge(pieces.length);
    qp.postRecv(List.of(request), null).execute().free();
  }

  /** The next completion; waits for it. */
  public IbvWC next() throws IOException {
    long deadline = System.nanoTime() + DEADLINE_MILLIS * 1_000_000L;
    while (true) {
      if (poll.execute().getPolls() > 0) {
        return copy();
      }
      notify.execute();
      if (poll.execute().getPolls() > 0) {
        return copy();
      }
      if (channel.getCqEvent(cq, 100)) {
        cq.ackEvents(1);
      }
      assertThat(System.nanoTime()).as("a completion in time").isLessThan(deadline);
    }
  }

  private IbvWC copy() {
    IbvWC copy = new IbvWC();
    copy.setWr_id(polled[0].getWr_id());
    copy.setStatus(polled[0].getStatus());
    copy.setOpcode(polled[0].getOpcode());
    copy.setByte_len(polled[0].getByte_len());
    copy.setImm_data(polled[0].getImm_data());
    copy.setQp_num(polled[0].getQp_num());
    return copy;
  }

  /** The next completion, which must be this one and a success. */
  public IbvWC expect(long number) throws IOException {
    return expect(number, IbvWC.IbvWcStatus.IBV_WC_SUCCESS);
  }

  public IbvWC expect(long number, IbvWC.IbvWcStatus status) throws IOException {
    IbvWC completion = next();
    assertThat(IbvWC.IbvWcStatus.valueOf(completion.getStatus()))
        .as("status of %d", completion.getWr_id())
        .isEqualTo(status);
    assertThat(completion.getWr_id()).isEqualTo(number);
    return completion;
  }

  /** That nothing has completed by now. */
  public void expectNothing() throws IOException {
    assertThat(poll.execute().getPolls()).isZero();
  }

  @Override
  public void close() throws IOException {
    if (qp.isOpen()) {
      id.destroyQP();
    }
    cq.destroyCQ();
    channel.destroyCompChannel();
    for (IbvMr region : regions) {
      region.deregMr().execute();
    }
    try {
      pd.deallocPd();
    } catch (Exception e) {
      throw new IOException(e);
    }
    id.destroyId();
  }
}
