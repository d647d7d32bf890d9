package io.regionfs.region;

import com.google.errorprone.annotations.CheckReturnValue;
import io.regionfs.meta.Messages;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.model.RegionStat;
import io.regionfs.proto.AppendReply;
import io.regionfs.proto.Attached;
import io.regionfs.proto.Exposures;
import io.regionfs.proto.HomeReply;
import io.regionfs.proto.RegionReport;
import io.regionfs.proto.Reply;
import io.regionfs.proto.SizeSwap;
import io.regionfs.proto.Staged;

/** The answers of a home as messages. */
@CheckReturnValue
final class HomeReplies {
  static final Reply DONE = Reply.getDefaultInstance();

  private HomeReplies() {}

  static Reply failure(FsException e) {
    return Reply.newBuilder()
        .setErrno(e.errno().code())
        .setDetail(String.valueOf(e.getMessage()))
        .build();
  }

  /**
   * @param swaps the caller swaps the size word itself
   */
  static Reply attached(LentRegion region, InodeId inode, boolean swaps, long generation) {
    Attached attached =
        Attached.newBuilder()
            .setSlotAddress(region.slot().address())
            .setSlotKey(region.slot().remoteKey())
            .setGeneration(generation)
            .setStat(Messages.settle(inode, region.stat()))
            .setSizeSwap(swaps ? SizeSwap.SIZE_SWAP_ONE_SIDED : SizeSwap.SIZE_SWAP_BY_CALL)
            .build();
    return reply(HomeReply.newBuilder().setAttached(attached));
  }

  static Reply exposed(LentRegion.Exposed exposed) {
    Exposures.Builder exposures = Exposures.newBuilder().setCoveredTo(exposed.coveredTo());
    for (Exposure exposure : exposed.exposures()) {
      exposures
          .addExposuresBuilder()
          .setOffset(exposure.offset())
          .setLength(exposure.length())
          .setAddress(exposure.address())
          .setKey(exposure.remoteKey())
          .setWritable(exposure.writable());
    }
    return reply(HomeReply.newBuilder().setExposures(exposures));
  }

  static Reply stat(LentRegion region, InodeId inode) {
    return reply(HomeReply.newBuilder().setStat(Messages.settle(inode, region.stat())));
  }

  static Reply offset(long offset) {
    return reply(HomeReply.newBuilder().setOffset(offset));
  }

  static Reply sizeWord(long word) {
    return reply(HomeReply.newBuilder().setSizeWord(word));
  }

  static Reply append(long offset, long token) {
    return reply(
        HomeReply.newBuilder()
            .setAppend(AppendReply.newBuilder().setOffset(offset).setToken(token)));
  }

  static Reply stored(long offset, long sizeWord) {
    return reply(
        HomeReply.newBuilder()
            .setAppend(AppendReply.newBuilder().setOffset(offset).setSizeWord(sizeWord)));
  }

  static Reply staged(Staging.Stage stage) {
    return reply(
        HomeReply.newBuilder()
            .setStaged(
                Staged.newBuilder()
                    .setToken(stage.token())
                    .setAddress(stage.memory().address())
                    .setKey(stage.memory().remoteKey())));
  }

  static Reply report(LentRegion region, long generation) {
    RegionStat stat = region.stat();
    return reply(
        HomeReply.newBuilder()
            .setReport(
                RegionReport.newBuilder()
                    .setSize(stat.size())
                    .setAllocatedBytes(stat.allocatedBytes())
                    .setExposures(region.exposureCount())
                    .setPinnedBytes(region.pinnedBytes())
                    .setDirect(region.slot().isDirect())
                    .setGeneration(generation)));
  }

  private static Reply reply(HomeReply.Builder home) {
    return Reply.newBuilder().setHome(home).build();
  }
}
