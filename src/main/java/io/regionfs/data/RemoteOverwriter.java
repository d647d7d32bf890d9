package io.regionfs.data;

import io.regionfs.data.OneSided.Local;
import io.regionfs.rpc.RpcException;
import io.regionfs.verbs.TransferException;

/**
 * Writes bytes of pages that mappings changed, as few batches as possible: only within the size,
 * which does not move. If the region shrinks meanwhile, what is left of it is written again.
 */
final class RemoteOverwriter {
  private final OneSided steps;
  private final Workspaces workspaces;
  private final RemoteWriter writer;

  RemoteOverwriter(OneSided steps, Workspaces workspaces, RemoteWriter writer) {
    this.steps = steps;
    this.workspaces = workspaces;
    this.writer = writer;
  }

  /**
   * One attempt.
   *
   * @param offset where in the region the pages begin
   * @param local where in memory they begin
   */
  void overwrite(Attachment at, long offset, PageRuns runs, Local local)
      throws TransferException, RpcException, InterruptedException {
    Workspace work = workspaces.take(at.link().connection());
    try {
      long word = at.sizeWord();
      boolean done = false;
      while (!done) {
        long end = offset + runs.last();
        if (word == Attachment.UNKNOWN || end > Slot.sizeOf(word)) {
          word = steps.refreshTo(at, work, end);
        }
        long seen = overwrite(at, work, word, offset, runs, local);
        done = Slot.epochOf(seen) == Slot.epochOf(word);
        word = seen;
      }
    } finally {
      workspaces.giveBack(work);
    }
  }

  /** Returns the size word found last; with another epoch it has to be done again. */
  private long overwrite(
      Attachment at, Workspace work, long word, long offset, PageRuns runs, Local local)
      throws TransferException, RpcException, InterruptedException {
    long end = Math.min(offset + runs.last(), Slot.sizeOf(word));
    long from = offset + runs.first();
    if (from >= end) {
      return word;
    }
    ExposureMap map = writer.writable(at, from, end, end);
    if (map == null) {
      return writer.otherWord(at, work, word);
    }
    work.batch.clear();
    for (int run = 0; run < runs.size(); run++) {
      long start = offset + runs.start(run);
      long stop = Math.min(end, offset + runs.end(run));
      if (start < stop) {
        Local bytes = new Local(local.address() + runs.start(run), local.key());
        steps.store(at, work, map, start, stop, bytes);
      }
    }
    writer.stamp(at, work);
    work.readSlot(at.slotAddress(), at.slotKey());
    steps.execute(at, work, end - from);
    long seen = steps.slotRead(at, work);
    if (Slot.epochOf(seen) != Slot.epochOf(word)) {
      at.forget(Slot.sizeOf(seen), Long.MAX_VALUE);
    }
    return seen;
  }
}
