package io.regionfs.data;

import io.regionfs.data.OneSided.Local;
import io.regionfs.rpc.RpcException;
import io.regionfs.verbs.TransferException;

/**
 * Reads: the slot and the data in one batch when all of the range is exposed already.
 *
 * <p>The slot is read before the data, so bytes below the size that it tells were there. What the
 * home calls a hole is a hole only below a size that was read before asking: beyond it, a writer
 * may have put bytes and moved the size since.
 *
 * <p>The size in the slot of a direct region is a lower bound: before the end of such a file is
 * believed, the home is asked to look.
 */
final class RemoteReader {
  private final OneSided steps;
  private final Workspaces workspaces;

  RemoteReader(OneSided steps, Workspaces workspaces) {
    this.steps = steps;
    this.workspaces = workspaces;
  }

  /** One attempt; returns how many bytes were read, fewer than wanted only at the end. */
  int read(Attachment at, long offset, int wanted, Local local)
      throws TransferException, RpcException, InterruptedException {
    Workspace work = workspaces.take(at.link().connection());
    try {
      return read(at, work, offset, offset + wanted, local);
    } finally {
      workspaces.giveBack(work);
    }
  }

  private int read(Attachment at, Workspace work, long offset, long wantedEnd, Local local)
      throws TransferException, RpcException, InterruptedException {
    long word = at.sizeWord();
    boolean fresh = false; // the word was read since this read began
    while (true) {
      long end = Math.min(wantedEnd, endOf(word));
      ExposureMap map = at.exposures();
      boolean known = offset < end && !mayGoOn(word, wantedEnd) && map.covers(offset, end, false);
      if (!fresh && !known) {
        word = steps.refreshTo(at, work, wantedEnd);
        fresh = true;
        continue;
      }
      if (offset >= end) {
        return 0;
      }
      if (!map.covers(offset, end, false)) {
        map = steps.expose(at, offset, end, end, false);
      }
      work.batch.clear();
      work.readSlot(at.slotAddress(), at.slotKey());
      steps.fetch(at, work, map, offset, end, local);
      long now = steps.slotRead(at, work);
      long newEnd = Math.min(wantedEnd, endOf(now));
      boolean sameEpoch = Slot.epochOf(now) == Slot.epochOf(word);
      if (sameEpoch && (fresh || newEnd <= end)) {
        return (int) (end - offset);
      }
      if (!sameEpoch) {
        at.forget(endOf(now), Long.MAX_VALUE);
      }
      word = now;
      fresh = !mayGoOn(now, wantedEnd);
    }
  }

  private static boolean mayGoOn(long word, long wantedEnd) {
    return Slot.isDirect(word) && Slot.sizeOf(word) < wantedEnd;
  }

  private static long endOf(long word) {
    return word == Attachment.UNKNOWN ? 0 : Slot.sizeOf(word);
  }
}
