package io.regionfs.region;

import static io.regionfs.region.HomeClient.to;
import static io.regionfs.region.LentMemoryFixture.pattern;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.regionfs.data.Region;
import io.regionfs.data.Slot;
import io.regionfs.model.Errno;
import io.regionfs.model.InodeId;
import io.regionfs.posix.Memory;
import io.regionfs.proto.Allocate;
import io.regionfs.proto.AllocateMode;
import io.regionfs.proto.AppendReply;
import io.regionfs.proto.Attach;
import io.regionfs.proto.Attached;
import io.regionfs.proto.CommitAppend;
import io.regionfs.proto.HomeCall;
import io.regionfs.proto.Ping;
import io.regionfs.proto.RegionReport;
import io.regionfs.proto.Seek;
import io.regionfs.proto.SetTimes;
import io.regionfs.proto.Settle;
import io.regionfs.proto.SizeSwap;
import io.regionfs.proto.Time;
import io.regionfs.proto.Truncate;
import io.regionfs.verbs.Atomics;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@SuppressWarnings({"MustBeClosedChecker", "NullAway.Init"}) // local regions hold nothing
class HomeHandlerTest {
  private static final int MIB = 1 << 20;

  private LentMemoryFixture host;
  private HomeHandler handler;
  private HomeClient client;

  @BeforeEach
  void start() throws Exception {
    host = new LentMemoryFixture(16 * MIB);
    handler = new HomeHandler(host.memory);
    client = new HomeClient(handler, 1);
  }

  @AfterEach
  void stop() throws Exception {
    handler.close();
    host.close();
  }

  private long size(long inode) throws Exception {
    return client.ask(HomeClient.stat(inode)).getStat().getSize();
  }

  @Test
  void anAttachGivesTheSlot() throws Exception {
    client.refuses(Errno.EIO, HomeClient.attach(5, false));
    client.refuses(Errno.EINVAL, HomeClient.attach(0, true));
    Attached attached = client.ask(HomeClient.attach(5, true)).getAttached();
    assertThat(attached.getGeneration()).isEqualTo(host.memory.status().generation());
    assertThat(attached.getStat().getSize()).isZero();
    long slot = attached.getSlotAddress();
    FakeFabric.Registered table =
        Objects.requireNonNull(host.fabric.find(attached.getSlotKey()), "the slots' key");
    assertThat(slot).isBetween(table.address(), table.address() + table.length() - Slot.BYTES);
    assertThat(Memory.getLong(slot + Slot.INODE)).isEqualTo(5);
    Memory.putLong(slot + Slot.SIZE, Slot.word(0, 1234));
    assertThat(client.ask(HomeClient.attach(5, false)).getAttached().getStat().getSize())
        .isEqualTo(1234);
    client.ask(to(5).setDrop(Ping.getDefaultInstance()));
    assertThat(Memory.getLong(slot + Slot.INODE)).isZero();
    client.refuses(Errno.EIO, HomeClient.attach(5, false));
    client.ask(to(5).setDrop(Ping.getDefaultInstance()));
  }

  @Test
  void theHomeGrowsARegionWithinItsEpochForAHostThatCannot() throws Exception {
    client.ask(HomeClient.attach(5, true));
    assertThat(client.ask(HomeClient.grow(5, 0, 1000)).getSizeWord()).isEqualTo(Slot.word(0, 1000));
    assertThat(client.ask(HomeClient.grow(5, 0, 1000)).getSizeWord()).isEqualTo(Slot.word(0, 1000));
    assertThat(client.ask(HomeClient.grow(5, 0, 500)).getSizeWord()).isEqualTo(Slot.word(0, 1000));
    client.ask(to(5).setTruncate(Truncate.newBuilder().setSize(10)));
    assertThat(client.ask(HomeClient.grow(5, 0, 2000)).getSizeWord()).isEqualTo(Slot.word(1, 10));
    assertThat(client.ask(HomeClient.grow(5, 1, 2000)).getSizeWord()).isEqualTo(Slot.word(1, 2000));
    assertThat(size(5)).isEqualTo(2000);
    client.refuses(Errno.EINVAL, HomeClient.grow(5, 1, -1));
    client.refuses(Errno.EFBIG, HomeClient.grow(5, 1, Region.MAX_SIZE));
    client.refuses(Errno.EIO, HomeClient.grow(6, 0, 1));
  }

  @Test
  void theAnswerToAnAttachSaysWhoSwapsTheSize() throws Exception {
    for (Atomics atomics : Atomics.values()) {
      host.fabric.atomics(atomics);
      restart();
      assertThat(attached(false)).as("%s", atomics).isEqualTo(SizeSwap.SIZE_SWAP_BY_CALL);
      assertThat(attached(true))
          .as("%s", atomics)
          .isEqualTo(
              atomics == Atomics.NONE ? SizeSwap.SIZE_SWAP_BY_CALL : SizeSwap.SIZE_SWAP_ONE_SIDED);
    }
  }

  private SizeSwap attached(boolean hasAtomics) throws Exception {
    Attach attach = Attach.newBuilder().setMayBeNew(true).setHasAtomics(hasAtomics).build();
    return client.ask(to(5).setAttach(attach)).getAttached().getSizeSwap();
  }

  /** The fabric of this test cannot connect, so a swap by its device fails. */
  @Test
  void theHomeUsesItsDeviceFromTheFirstHostThatMaySwap() throws Exception {
    host.fabric.atomics(Atomics.DEVICE);
    restart();
    Truncate ten = Truncate.newBuilder().setSize(10).build();
    assertThat(attached(false)).isEqualTo(SizeSwap.SIZE_SWAP_BY_CALL);
    client.ask(to(5).setTruncate(ten));
    client.ask(HomeClient.grow(5, 0, 20));
    assertThat(attached(true)).isEqualTo(SizeSwap.SIZE_SWAP_ONE_SIDED);
    client.refuses(Errno.EIO, to(5).setTruncate(ten));
    client.ask(HomeClient.attach(6, true));
    client.ask(to(6).setTruncate(ten));
  }

  private void restart() throws Exception {
    handler.close();
    host.restart();
    handler = new HomeHandler(host.memory);
    client = new HomeClient(handler, 1);
  }

  @Test
  void sizeTimesAndMemoryFollowTheCalls() throws Exception {
    client.ask(HomeClient.attach(5, true));
    Settle cut = client.ask(to(5).setTruncate(Truncate.newBuilder().setSize(1L << 40))).getStat();
    assertThat(cut.getSize()).isEqualTo(1L << 40);
    Time time = Time.newBuilder().setSeconds(-5).setNanos(7).build();
    assertThat(client.ask(to(5).setSetTimes(SetTimes.newBuilder().setMtime(time))).getStat())
        .matches(stat -> stat.getMtime().equals(time))
        .matches(stat -> stat.getCtime().getSeconds() > 0);
    Allocate allocate =
        Allocate.newBuilder()
            .setMode(AllocateMode.ALLOCATE_MODE_ALLOCATE)
            .setOffset(MIB)
            .setLength(MIB)
            .build();
    assertThat(client.ask(to(5).setAllocate(allocate)).getStat().getAllocatedBytes())
        .isEqualTo(MIB);
    assertThat(client.ask(to(5).setSeek(Seek.newBuilder())).getOffset()).isEqualTo(MIB);
    Seek hole = Seek.newBuilder().setHole(true).setOffset(MIB + 1).build();
    assertThat(client.ask(to(5).setSeek(hole)).getOffset()).isEqualTo(2 * MIB);
    client.exposeOne(5, MIB, 10, false);
    RegionReport report = client.ask(to(5).setDescribe(Ping.getDefaultInstance())).getReport();
    assertThat(report.getExposures()).isEqualTo(1);
    assertThat(report.getPinnedBytes()).isEqualTo(MIB);
    assertThat(report.getSize()).isEqualTo(1L << 40);
    assertThat(handler.callCounts())
        .containsEntry("expose", 1L)
        .containsEntry("seek", 2L)
        .doesNotContainKey("append");
  }

  @Test
  void nonsenseIsRefused() throws Exception {
    client.ask(HomeClient.attach(5, true));
    client.refuses(Errno.EFBIG, to(5).setTruncate(Truncate.newBuilder().setSize(1L << 47)));
    client.refuses(Errno.EINVAL, to(5).setTruncate(Truncate.newBuilder().setSize(-1)));
    client.refuses(Errno.EINVAL, HomeClient.exposing(5, -1, 10, true));
    client.refuses(Errno.EINVAL, HomeClient.exposing(5, 0, 0, true));
    client.refuses(Errno.EFBIG, HomeClient.exposing(5, 10, Long.MAX_VALUE, true));
    client.refuses(Errno.ENOSPC, HomeClient.exposing(5, 0, 17 * MIB, true));
    client.refuses(Errno.ENXIO, to(5).setSeek(Seek.newBuilder()));
    client.refuses(Errno.EINVAL, to(5).setReserveAppend(-1));
    client.refuses(Errno.EOPNOTSUPP, to(5));
    client.refuses(
        Errno.EOPNOTSUPP, to(5).setAllocate(Allocate.newBuilder().setOffset(0).setLength(1)));
    client.refuses(Errno.EIO, HomeClient.stat(6));
    assertThat(size(5)).isZero();
    assertThat(host.memory.status().allocatedBytes()).isZero();
  }

  @Test
  void aRetriedAppendIsAppliedOnce() throws Exception {
    client.ask(HomeClient.attach(5, true));
    HomeCall append = HomeClient.append(5, pattern(1000, 1)).build();
    long first = client.send(100, append).getHome().getAppend().getOffset();
    assertThat(client.send(100, append).getHome().getAppend().getOffset()).isEqualTo(first);
    assertThat(size(5)).isEqualTo(1000);
    assertThat(client.send(101, append).getHome().getAppend().getOffset()).isEqualTo(1000);
    HomeClient other = new HomeClient(handler, 2);
    assertThat(other.send(101, append).getHome().getAppend().getOffset()).isEqualTo(2000);
    assertThat(host.read(host.open(5), 2000, MIB)).isEqualTo(pattern(1000, 1));
  }

  @Test
  void aReservationExcludesOtherAppendsButNotGrowth() throws Exception {
    client.ask(HomeClient.attach(5, true));
    Region local = host.open(5);
    host.write(local, 0, pattern(100, 1));
    AppendReply reserved = client.ask(to(5).setReserveAppend(50_000)).getAppend();
    assertThat(reserved.getOffset()).isEqualTo(100);
    HomeClient other = new HomeClient(handler, 2);
    other.refuses(Errno.EAGAIN, HomeClient.append(5, new byte[10]));
    other.refuses(Errno.EAGAIN, to(5).setReserveAppend(10));
    host.write(local, 200, pattern(100, 2));
    CompletableFuture<Long> waiting =
        CompletableFuture.supplyAsync(() -> local.append(host.buffer, 0, 10));
    client.ask(to(5).setCommitAppend(commit(reserved, 50_000)));
    assertThat(waiting.get(60, TimeUnit.SECONDS)).isEqualTo(50_100);
    assertThat(size(5)).isEqualTo(50_110);
    client.refuses(Errno.EAGAIN, to(5).setCommitAppend(commit(reserved, 50_000)));
  }

  @Test
  void aReservationMayBeGivenBackOrCutOff() throws Exception {
    client.ask(HomeClient.attach(5, true));
    AppendReply reserved = client.ask(to(5).setReserveAppend(1000)).getAppend();
    client.refuses(Errno.EINVAL, to(5).setCommitAppend(commit(reserved, 1001)));
    reserved = client.ask(to(5).setReserveAppend(1000)).getAppend();
    client.ask(to(5).setCommitAppend(commit(reserved, 0)));
    assertThat(size(5)).isZero();
    client.ask(HomeClient.append(5, new byte[100]));
    reserved = client.ask(to(5).setReserveAppend(1000)).getAppend();
    client.ask(to(5).setTruncate(Truncate.newBuilder().setSize(0)));
    client.refuses(Errno.EAGAIN, to(5).setCommitAppend(commit(reserved, 1000)));
    assertThat(size(5)).isZero();
  }

  @Test
  void aHolderThatDiesLosesItsReservation() throws Exception {
    client.ask(HomeClient.attach(5, true));
    AppendReply lost = client.ask(to(5).setReserveAppend(1000)).getAppend();
    assertThat(host.open(5).append(host.buffer, 0, 10)).isZero();
    client.refuses(Errno.EAGAIN, to(5).setCommitAppend(commit(lost, 1000)));
    assertThat(size(5)).isEqualTo(10);
  }

  @Test
  void aWaitingAppendCanBeInterrupted() throws Exception {
    client.ask(HomeClient.attach(5, true));
    client.ask(to(5).setReserveAppend(1000));
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> host.open(5).append(host.buffer, 0, 10))
        .hasMessageContaining("EINTR:");
    assertThat(host.memory.stat(new InodeId(5), LentMemoryFixture.HOME).size()).isZero();
  }

  private static CommitAppend commit(AppendReply reserved, long length) {
    return CommitAppend.newBuilder().setToken(reserved.getToken()).setLength(length).build();
  }
}
