package io.regionfs.verbs.disni;

import com.ibm.disni.verbs.IbvQP;
import com.ibm.disni.verbs.IbvSendWR;
import com.ibm.disni.verbs.IbvSge;
import com.ibm.disni.verbs.SVCPostSend;
import java.io.IOException;
import java.util.LinkedList;

/**
 * A chain of work requests prepared for one queue pair, to be posted again and again with other
 * addresses and operands. Confined to the holder of the connection's post lock.
 */
@SuppressWarnings("JdkObsolete") // DiSNI asks for LinkedLists by type
final class WorkChain {
  private final SVCPostSend call;
  private final SVCPostSend.SendWRMod[] requests;
  private final SVCPostSend.RdmaMod[] remotes;
  private final SVCPostSend.SgeMod[] locals;

  /** The software device takes the operands from here when it is posted: DiSNI has no setter. */
  private final IbvSendWR.Atomic[] atomics;

  final long shape;
  final int size;

  WorkChain(IbvQP queuePair, DisniBatch batch) throws IOException {
    shape = batch.shape();
    size = batch.size();
    LinkedList<IbvSendWR> list = new LinkedList<>();
    for (int i = 0; i < size; i++) {
      list.add(request(batch, i));
    }
    atomics = new IbvSendWR.Atomic[size];
    for (int i = 0; i < size; i++) {
      atomics[i] = list.get(i).getAtomic();
    }
    call = queuePair.postSend(list, new LinkedList<>());
    requests = new SVCPostSend.SendWRMod[size];
    remotes = new SVCPostSend.RdmaMod[size];
    locals = new SVCPostSend.SgeMod[size];
    for (int i = 0; i < size; i++) {
      requests[i] = call.getWrMod(i);
      remotes[i] = requests[i].getRdmaMod();
      locals[i] = requests[i].getSgeMod(0);
    }
  }

  private static IbvSendWR request(DisniBatch batch, int i) {
    IbvSge local = new IbvSge();
    local.setAddr(batch.localAddress[i]);
    local.setLkey(batch.localKey[i]);
    local.setLength(batch.length[i]);
    LinkedList<IbvSge> locals = new LinkedList<>();
    locals.add(local);
    IbvSendWR request = new IbvSendWR();
    request.setOpcode(batch.opcode[i]);
    request.setSg_list(locals);
    request.setNum_sge(1);
    request.setSend_flags(batch.flags(i));
    request.getRdma().setRemote_addr(batch.remoteAddress[i]);
    request.getRdma().setRkey(batch.remoteKey[i]);
    return request;
  }

  /** Hands a batch of this shape to the device; its completions carry the id. */
  void post(DisniBatch batch, long id) throws IOException {
    for (int i = 0; i < size; i++) {
      requests[i].setWr_id(id);
      remotes[i].setRemote_addr(batch.remoteAddress[i]);
      remotes[i].setRkey(batch.remoteKey[i]);
      locals[i].setAddr(batch.localAddress[i]);
      locals[i].setLength(batch.length[i]);
      locals[i].setLkey(batch.localKey[i]);
      atomics[i].setCompare_add(batch.compareAdd[i]);
      atomics[i].setSwap(batch.swap[i]);
    }
    call.execute();
  }

  void free() {
    call.free();
  }
}
