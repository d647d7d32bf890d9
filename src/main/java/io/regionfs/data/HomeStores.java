package io.regionfs.data;

import com.google.protobuf.ByteString;
import io.regionfs.data.OneSided.Local;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.posix.Memory;
import io.regionfs.proto.HomeCall;
import io.regionfs.proto.HomeReply;
import io.regionfs.proto.Staged;
import io.regionfs.proto.Store;
import io.regionfs.rpc.RpcException;
import io.regionfs.verbs.TransferException;

/**
 * Writes that the home carries out, because its kernel moves the end of the file too: a few bytes
 * travel in the call, more are put into memory that the home gives for it.
 */
final class HomeStores {
  /** Most bytes of a write at once; an append is one piece, however long. */
  private static final int CHUNK_BYTES = 1 << 20;

  private final InodeId inode;
  private final OneSided steps;
  private final HomeCaller caller;
  private final Workspaces workspaces;

  HomeStores(InodeId inode, OneSided steps, HomeCaller caller, Workspaces workspaces) {
    this.inode = inode;
    this.steps = steps;
    this.caller = caller;
    this.workspaces = workspaces;
  }

  /** One attempt, which may be repeated. */
  void write(Attachment at, Workspace work, long offset, int length, Local local)
      throws TransferException, RpcException, InterruptedException {
    for (int done = 0; done < length; ) {
      int bytes = Math.min(CHUNK_BYTES, length - done);
      Local part = new Local(local.address() + done, local.key());
      Store.Builder store = Store.newBuilder().setOffset(offset + done);
      if (bytes <= RemoteRegion.MAX_INLINE_APPEND_BYTES) {
        store.setData(copyOf(part, bytes));
      } else {
        store.setToken(stage(at, work, bytes, part)).setLength(bytes);
      }
      note(at, ask(at, call(store), bytes));
      done += bytes;
    }
  }

  private HomeReply ask(Attachment at, HomeCall call, int bytes)
      throws RpcException, InterruptedException {
    try {
      return caller.once(at.link(), call, steps.deadlineFor(bytes));
    } catch (FsException e) {
      if (e.errno() == Errno.ESTALE) {
        throw new FsException(Errno.EAGAIN, "the home took its memory back", e);
      }
      throw e;
    }
  }

  /** Puts the bytes of an append in place at the home; returns the call to carry it out. */
  HomeCall stageAppend(Attachment at, int length, Local local)
      throws TransferException, RpcException, InterruptedException {
    Workspace work = workspaces.take(at.link().connection());
    try {
      long token = stage(at, work, length, local);
      return call(Store.newBuilder().setAppend(true).setToken(token).setLength(length));
    } finally {
      workspaces.giveBack(work);
    }
  }

  /** The home has told the size word with its answer to a store. */
  static void note(Attachment at, HomeReply reply) {
    at.sizeWord(reply.getAppend().getSizeWord());
  }

  private long stage(Attachment at, Workspace work, int length, Local local)
      throws TransferException, RpcException, InterruptedException {
    HomeCall ask = HomeCall.newBuilder().setInode(inode.value()).setStage(length).build();
    Staged staged = caller.once(at.link(), ask, steps.deadlineFor(0)).getStaged();
    work.batch.clear();
    work.batch.write(local.address(), local.key(), staged.getAddress(), staged.getKey(), length);
    // On iWARP a write is complete before its bytes are in place: a read after it is answered
    // later.
    work.readSlot(at.slotAddress(), at.slotKey());
    steps.execute(at, work, length);
    return staged.getToken();
  }

  static ByteString copyOf(Local local, int length) {
    byte[] data = new byte[length];
    Memory.get(local.address(), data, 0, length);
    return ByteString.copyFrom(data);
  }

  private HomeCall call(Store.Builder store) {
    return HomeCall.newBuilder().setInode(inode.value()).setStore(store).build();
  }
}
