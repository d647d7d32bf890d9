package io.regionfs.verbs.soft;

import com.ibm.disni.verbs.IbvSendWR;
import com.ibm.disni.verbs.IbvSge;
import com.ibm.disni.verbs.SVCPostSend;
import java.io.IOException;
import java.util.List;

/**
 * A list of send work requests, made once and posted as often as wanted. Its parts may be changed
 * between posts; atomics also take the operands that their {@link IbvSendWR.Atomic} has at the time
 * of the post, since DiSNI has no other way to change them.
 */
final class SoftPostSend extends SVCPostSend {
  private final SoftQueuePair pair;
  private final Work[] works;

  SoftPostSend(SoftQueuePair pair, List<IbvSendWR> requests) throws IOException {
    this.pair = pair;
    works = new Work[requests.size()];
    int i = 0;
    for (IbvSendWR request : requests) {
      works[i++] = new Work(request);
    }
  }

  @Override
  public SendWRMod getWrMod(int index) throws IOException {
    return works[index];
  }

  @Override
  public SVCPostSend execute() throws IOException {
    pair.postSend(works);
    return this;
  }

  @Override
  public boolean isValid() {
    return pair.isOpen();
  }

  @Override
  public SVCPostSend free() {
    return this;
  }

  /** One work request. */
  static final class Work implements SendWRMod, RdmaMod {
    private final IbvSendWR source;
    private final boolean atomic;
    private final int opcode;
    private final Piece[] pieces;
    private long workRequest;
    private int flags;
    private long remoteAddress;
    private int remoteKey;
    private int reserved;

    Work(IbvSendWR source) throws IOException {
      this.source = source;
      opcode = source.getOpcode();
      if (opcode < IbvSendWR.IBV_WR_RDMA_WRITE || opcode > IbvSendWR.IBV_WR_ATOMIC_FETCH_AND_ADD) {
        throw new IOException("unknown opcode " + opcode);
      }
      atomic =
          opcode == IbvSendWR.IBV_WR_ATOMIC_CMP_AND_SWP
              || opcode == IbvSendWR.IBV_WR_ATOMIC_FETCH_AND_ADD;
      workRequest = source.getWr_id();
      flags = source.getSend_flags();
      remoteAddress = source.getRdma().getRemote_addr();
      remoteKey = source.getRdma().getRkey();
      reserved = source.getRdma().getReserved();
      pieces = Piece.of(source.getSg_list());
    }

    @Override
    public void setWr_id(long value) {
      workRequest = value;
    }

    @Override
    public long getWr_id() {
      return workRequest;
    }

    @Override
    public void setSend_flags(int value) {
      flags = value;
    }

    @Override
    public int getSend_flags() {
      return flags;
    }

    @Override
    public int getNum_sge() {
      return pieces.length;
    }

    @Override
    public int getOpcode() {
      return opcode;
    }

    @Override
    public RdmaMod getRdmaMod() {
      return this;
    }

    @Override
    public SgeMod getSgeMod(int index) {
      return pieces[index];
    }

    @Override
    public void setRemote_addr(long value) {
      if (atomic) {
        source.getAtomic().setRemote_addr(value);
      }
      remoteAddress = value;
    }

    @Override
    public long getRemote_addr() {
      return remoteAddress();
    }

    @Override
    public void setRkey(int value) {
      if (atomic) {
        source.getAtomic().setRkey(value);
      }
      remoteKey = value;
    }

    @Override
    public int getRkey() {
      return remoteKey();
    }

    @Override
    public void setReserved(int value) {
      reserved = value;
    }

    @Override
    public int getReserved() {
      return reserved;
    }

    long remoteAddress() {
      return atomic ? source.getAtomic().getRemote_addr() : remoteAddress;
    }

    int remoteKey() {
      return atomic ? source.getAtomic().getRkey() : remoteKey;
    }

    long operand() {
      return source.getAtomic().getCompare_add();
    }

    long swap() {
      return source.getAtomic().getSwap();
    }

    int immediate() {
      return source.getImm_data();
    }

    long address(int index) {
      return pieces[index].getAddr();
    }

    int length(int index) {
      return pieces[index].getLength();
    }

    int localKey(int index) {
      return pieces[index].getLkey();
    }
  }

  /** One scatter/gather entry. */
  static final class Piece extends IbvSge implements SgeMod {
    private Piece(IbvSge source) {
      addr = source.getAddr();
      length = source.getLength();
      lkey = source.getLkey();
    }

    static Piece[] of(List<IbvSge> list) {
      return list.stream().map(Piece::new).toArray(Piece[]::new);
    }
  }
}
