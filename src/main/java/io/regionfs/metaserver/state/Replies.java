package io.regionfs.metaserver.state;

import io.regionfs.model.Errno;
import io.regionfs.proto.Removal;
import io.regionfs.proto.Reply;

/** The replies that need no computing. */
public final class Replies {
  public static final Reply DONE = Reply.getDefaultInstance();
  public static final Reply NOTHING_REMOVED =
      Reply.newBuilder().setRemoval(Removal.getDefaultInstance()).build();
  public static final Reply NO_SUCH_NAME = refusal(Errno.ENOENT, "no such name");
  public static final Reply NO_SUCH_INODE = refusal(Errno.ENOENT, "no such inode");

  private Replies() {}

  public static Reply refusal(Errno errno, String detail) {
    return Reply.newBuilder().setErrno(errno.code()).setDetail(detail).build();
  }

  static Reply of(Refusal refusal) {
    String detail = refusal.getMessage();
    return refusal(refusal.errno(), detail == null ? "" : detail);
  }

  static Reply attributes(Inode inode) {
    return Reply.newBuilder().setAttributes(inode.attributes()).build();
  }

  /** Of a close; {@code atHome} if the inode lives on and its home knows it best. */
  static Reply removal(Removal removal, boolean atHome) {
    return atHome
        ? Reply.newBuilder().setRemoval(removal.toBuilder().setAtHome(true)).build()
        : removal(removal);
  }

  static Reply removal(Removal removal) {
    return removal.getDeadInode() == 0
        ? NOTHING_REMOVED
        : Reply.newBuilder().setRemoval(removal).build();
  }
}
