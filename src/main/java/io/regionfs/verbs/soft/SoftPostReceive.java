package io.regionfs.verbs.soft;

import com.ibm.disni.verbs.IbvRecvWR;
import com.ibm.disni.verbs.SVCPostRecv;
import java.io.IOException;
import java.util.List;

/** A list of receive work requests, made once and posted as often as wanted. */
final class SoftPostReceive extends SVCPostRecv {
  private final SoftQueuePair pair;
  private final Work[] works;

  SoftPostReceive(SoftQueuePair pair, List<IbvRecvWR> requests) {
    this.pair = pair;
    works = requests.stream().map(Work::new).toArray(Work[]::new);
  }

  @Override
  public RecvWRMod getWrMod(int index) throws IOException {
    return works[index];
  }

  @Override
  public SVCPostRecv execute() throws IOException {
    pair.postReceive(works);
    return this;
  }

  @Override
  public boolean isValid() {
    return pair.isOpen();
  }

  @Override
  public SVCPostRecv free() {
    return this;
  }

  /** One work request. */
  static final class Work implements RecvWRMod {
    private final long workRequest;
    private final SoftPostSend.Piece[] pieces;

    Work(IbvRecvWR source) {
      workRequest = source.getWr_id();
      pieces = SoftPostSend.Piece.of(source.getSg_list());
    }

    @Override
    public long getWr_id() {
      return workRequest;
    }

    int count() {
      return pieces.length;
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
}
