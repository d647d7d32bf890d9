package io.regionfs.data;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.data.OneSided.Local;
import io.regionfs.meta.Messages;
import io.regionfs.model.Errno;
import io.regionfs.model.FallocateMode;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.model.NodeId;
import io.regionfs.model.RegionStat;
import io.regionfs.proto.Allocate;
import io.regionfs.proto.AllocateMode;
import io.regionfs.proto.Append;
import io.regionfs.proto.AppendReply;
import io.regionfs.proto.Attach;
import io.regionfs.proto.CommitAppend;
import io.regionfs.proto.HomeCall;
import io.regionfs.proto.HomeReply;
import io.regionfs.proto.Ping;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Seek;
import io.regionfs.proto.SetTimes;
import io.regionfs.proto.Time;
import io.regionfs.proto.Truncate;
import io.regionfs.rpc.RpcException;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A region whose home is another host. Its bytes, size and times are read and written one-sided;
 * what changes the memory that it holds is asked of the home.
 */
final class RemoteRegion implements Region {
  /** Appends up to this travel in the call; longer ones reserve their range. */
  static final int MAX_INLINE_APPEND_BYTES = 16 << 10;

  private final InodeId inode;
  private final NodeId home;
  private final Homes homes;
  private final HomeCaller caller;
  private final Workspaces workspaces;
  private final OneSided steps;
  private final RemoteReader reader;
  private final RemoteWriter writer;
  private final HomeStores stores;
  private final RemoteOverwriter overwriter;

  /** Held while attaching. */
  private final ReentrantLock attaching = new ReentrantLock();

  private volatile @Nullable Attachment attachment;

  @GuardedBy("attaching")
  private boolean mayBeNew;

  RemoteRegion(
      InodeId inode,
      NodeId home,
      boolean mayBeNew,
      Homes homes,
      HomeCaller caller,
      Workspaces workspaces) {
    this.inode = inode;
    this.home = home;
    this.mayBeNew = mayBeNew;
    this.homes = homes;
    this.caller = caller;
    this.workspaces = workspaces;
    this.steps = new OneSided(inode, caller, homes.options());
    this.reader = new RemoteReader(steps, workspaces);
    this.stores = new HomeStores(inode, steps, caller, workspaces);
    this.writer = new RemoteWriter(inode, steps, caller, workspaces, stores);
    this.overwriter = new RemoteOverwriter(steps, workspaces, writer);
  }

  /** Makes the region at its home if there is none and it may be new. */
  void attach() {
    homes.untilDone(home, this::attached);
  }

  private Attachment attached(Link link) throws RpcException, InterruptedException {
    Attachment known = attachment;
    if (known != null && known.link().equals(link)) {
      return known;
    }
    attaching.lockInterruptibly();
    try {
      known = attachment;
      if (known != null && known.link().equals(link)) {
        return known;
      }
      HomeCall call =
          call()
              .setAttach(
                  Attach.newBuilder().setMayBeNew(mayBeNew).setHasAtomics(homes.hasAtomics()))
              .build();
      Attachment made = new Attachment(link, caller.once(link, call, deadline(0)).getAttached());
      attachment = made;
      mayBeNew = false;
      return made;
    } finally {
      attaching.unlock();
    }
  }

  @Override
  public void read(long offset, int length, TransferBuffer staging, ReadSink sink) {
    Ranges.checkOffset(offset);
    MappedBuffer buffer = MappedBuffer.of(staging);
    int wanted = (int) Math.min(Math.min(length, buffer.capacity()), MAX_SIZE - offset);
    if (wanted <= 0) {
      sink.accept(buffer.address(), 0);
      return;
    }
    Local local = new Local(buffer.address(), buffer.key());
    int count = homes.untilDone(home, link -> reader.read(attached(link), offset, wanted, local));
    sink.accept(buffer.address(), count);
  }

  @Override
  public void write(long offset, TransferBuffer source, int position, int length) {
    Ranges.checkWrite(offset, length);
    if (length == 0) {
      return;
    }
    Local local = local(source, position, length);
    homes.untilDone(
        home,
        link -> {
          writer.write(attached(link), offset, length, local);
          return true;
        });
  }

  @Override
  public void overwrite(long offset, TransferBuffer source, int position, PageRuns runs) {
    Ranges.checkWrite(offset, runs.last());
    Local local = local(source, position, runs.last());
    homes.untilDone(
        home,
        link -> {
          overwriter.overwrite(attached(link), offset, runs, local);
          return true;
        });
  }

  @Override
  public long append(TransferBuffer source, int position, int length) {
    Local local = local(source, position, length);
    if (length <= MAX_INLINE_APPEND_BYTES) {
      HomeCall append =
          call().setAppend(Append.newBuilder().setData(HomeStores.copyOf(local, length))).build();
      return caller.untilAnswered(home, append, deadline(length)).getAppend().getOffset();
    }
    HomeCall reserve = call().setReserveAppend(length).build();
    while (true) {
      AppendReply reserved =
          isUsedUnseen()
              ? AppendReply.getDefaultInstance()
              : caller.untilAnswered(home, reserve, deadline(0)).getAppend();
      if (reserved.getToken() == 0) {
        return appendStaged(length, local);
      }
      if (!fillReserved(reserved, length, local)) {
        continue;
      }
      Reply committed = caller.replyOf(home, commit(reserved.getToken(), length), deadline(0));
      if (committed.getErrno() != Errno.EAGAIN.code()) {
        HomeCaller.granted(committed);
        return reserved.getOffset();
      }
    }
  }

  /** As one write of the home. */
  private long appendStaged(int length, Local local) {
    while (true) {
      HomeCall append =
          homes.untilDone(home, link -> stores.stageAppend(attached(link), length, local));
      try {
        HomeReply reply = caller.untilAnswered(home, append, deadline(length));
        Attachment at = attachment;
        if (at != null) {
          HomeStores.note(at, reply);
        }
        return reply.getAppend().getOffset();
      } catch (FsException e) {
        if (e.errno() != Errno.ESTALE) {
          throw e;
        }
      }
    }
  }

  /** False if the range was given back, as the region became direct. */
  private boolean fillReserved(AppendReply reserved, int length, Local local) {
    long offset = reserved.getOffset();
    try {
      boolean filled =
          homes.untilDone(home, link -> writer.fill(attached(link), offset, length, local));
      if (!filled) {
        homes.tryOnce(home, link -> caller.once(link, commit(reserved.getToken(), 0), deadline(0)));
      }
      return filled;
    } catch (FsException e) {
      homes.tryOnce(home, link -> caller.once(link, commit(reserved.getToken(), 0), deadline(0)));
      throw e;
    }
  }

  private HomeCall commit(long token, int length) {
    return call()
        .setCommitAppend(CommitAppend.newBuilder().setToken(token).setLength(length))
        .build();
  }

  @Override
  public RegionStat stat() {
    return homes.untilDone(
        home,
        link -> {
          Attachment at = attached(link);
          Workspace work = workspaces.take(link.connection());
          try {
            long word = steps.refresh(at, work);
            if (Slot.isDirect(word)) {
              return Messages.regionStat(steps.askStat(at));
            }
            return new RegionStat(
                Slot.sizeOf(word),
                work.slot(Slot.ALLOCATED),
                Slot.instant(work.slot(Slot.MTIME)),
                Slot.instant(work.slot(Slot.CTIME)));
          } finally {
            workspaces.giveBack(work);
          }
        });
  }

  @Override
  public boolean isUsedUnseen() {
    Attachment at = attachment;
    return at != null && at.sizeWord() != Attachment.UNKNOWN && Slot.isDirect(at.sizeWord());
  }

  @Override
  public RegionStat settled() {
    if (writer.takeAskedAhead()) {
      caller.untilAnswered(home, trim(), deadline(0));
      forget(stat().size(), Long.MAX_VALUE);
    }
    return stat();
  }

  @Override
  public void truncate(long size) {
    Ranges.checkSize(size);
    change(call().setTruncate(Truncate.newBuilder().setSize(size)), 0);
    forget(size, Long.MAX_VALUE);
  }

  @Override
  public void allocate(FallocateMode mode, long offset, long length) {
    Ranges.checkOffset(offset);
    if (length <= 0) {
      throw new FsException(Errno.EINVAL, "length " + length);
    }
    long bytes = length;
    if (mode == FallocateMode.PUNCH_HOLE) {
      bytes = Math.min(length, MAX_SIZE - 1 - offset);
      if (bytes <= 0) {
        return;
      }
    } else {
      Ranges.checkWrite(offset, length);
    }
    change(
        call()
            .setAllocate(
                Allocate.newBuilder().setMode(modeOf(mode)).setOffset(offset).setLength(bytes)),
        bytes);
    if (mode == FallocateMode.PUNCH_HOLE) {
      forget(offset, offset + bytes);
    }
  }

  private static AllocateMode modeOf(FallocateMode mode) {
    return switch (mode) {
      case ALLOCATE -> AllocateMode.ALLOCATE_MODE_ALLOCATE;
      case ALLOCATE_KEEP_SIZE -> AllocateMode.ALLOCATE_MODE_ALLOCATE_KEEP_SIZE;
      case PUNCH_HOLE -> AllocateMode.ALLOCATE_MODE_PUNCH_HOLE;
      case ZERO_RANGE -> AllocateMode.ALLOCATE_MODE_ZERO_RANGE;
      case ZERO_RANGE_KEEP_SIZE -> AllocateMode.ALLOCATE_MODE_ZERO_RANGE_KEEP_SIZE;
    };
  }

  @Override
  public void setModified(Instant mtime) {
    Time time =
        Time.newBuilder().setSeconds(mtime.getEpochSecond()).setNanos(mtime.getNano()).build();
    change(call().setSetTimes(SetTimes.newBuilder().setMtime(time)), 0);
  }

  @Override
  public void noEarlierThan(Instant time) {
    writer.noEarlierThan(time);
  }

  @Override
  public long seek(long offset, boolean hole) {
    Ranges.checkOffset(offset);
    HomeCall call = call().setSeek(Seek.newBuilder().setOffset(offset).setHole(hole)).build();
    return caller.untilAnswered(home, call, deadline(0)).getOffset();
  }

  private void change(HomeCall.Builder call, long bytes) {
    caller.untilAnswered(home, call.build(), deadline(bytes));
  }

  private void forget(long from, long to) {
    Attachment at = attachment;
    if (at != null) {
      at.forget(from, to);
    }
  }

  private HomeCall.Builder call() {
    return HomeCall.newBuilder().setInode(inode.value());
  }

  private HomeCall trim() {
    return call().setTrim(Ping.getDefaultInstance()).build();
  }

  private Duration deadline(long bytes) {
    return homes.options().attemptFor(bytes);
  }

  private static Local local(TransferBuffer source, int position, int length) {
    MappedBuffer buffer = MappedBuffer.of(source);
    if (position < 0 || length < 0 || position > buffer.capacity() - length) {
      throw new IllegalArgumentException(
          length + " bytes at " + position + " of a buffer of " + buffer.capacity());
    }
    return new Local(buffer.address() + position, buffer.key());
  }

  @Override
  public void close() {
    if (writer.takeAskedAhead()) {
      homes.tryOnce(home, link -> caller.once(link, trim(), deadline(0)));
    }
    attachment = null;
  }
}
