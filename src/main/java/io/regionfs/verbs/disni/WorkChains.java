package io.regionfs.verbs.disni;

import com.ibm.disni.verbs.IbvQP;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Of a software device: the prepared chains of one queue pair, by shape. Programs use few shapes,
 * so a small table does; what no longer fits replaces another. Confined to the holder of the
 * connection's post lock.
 */
final class WorkChains implements SendQueue {
  private static final int SLOTS = 64;

  private final IbvQP queuePair;
  private final @Nullable WorkChain[] chains = new WorkChain[SLOTS];

  WorkChains(IbvQP queuePair) {
    this.queuePair = queuePair;
  }

  @Override
  public int operations(int depth) {
    return depth;
  }

  @Override
  public void post(DisniBatch batch, long id) throws IOException {
    prepared(batch).post(batch, id);
  }

  private WorkChain prepared(DisniBatch batch) throws IOException {
    long shape = batch.shape();
    int slot = (int) ((shape * 0x9E3779B97F4A7C15L + batch.size()) >>> 58);
    WorkChain chain = chains[slot];
    if (chain != null && chain.shape == shape && chain.size == batch.size()) {
      return chain;
    }
    if (chain != null) {
      chain.free();
    }
    WorkChain made = new WorkChain(queuePair, batch);
    chains[slot] = made;
    return made;
  }

  @Override
  public void free() {
    for (int i = 0; i < SLOTS; i++) {
      WorkChain chain = chains[i];
      if (chain != null) {
        chain.free();
        chains[i] = null;
      }
    }
  }
}
