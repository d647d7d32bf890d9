package io.regionfs.metaserver;

import io.regionfs.metaserver.state.Namespace;
import io.regionfs.model.Errno;
import io.regionfs.proto.Close;
import io.regionfs.proto.DirectoryEntry;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Query;
import io.regionfs.proto.Rename;
import io.regionfs.proto.Reply;
import java.util.ArrayList;
import java.util.List;

/** Which inodes a question or a command is about. */
final class Involved {
  private static final int ENOENT = Errno.ENOENT.code();
  private static final int ENODATA = Errno.ENODATA.code();

  private Involved() {}

  /** Those whose state the answer tells; the children of a listing not among them. */
  static List<Long> in(Query query, Reply reply) {
    return switch (query.getQueryCase()) {
      case LOOKUP ->
          reply.hasAttributes()
              ? List.of(query.getLookup().getParent(), reply.getAttributes().getInode())
              : List.of(query.getLookup().getParent());
      case ATTRIBUTES_OF -> List.of(query.getAttributesOf());
      case LIST -> List.of(query.getList().getDirectory());
      case LINK_TARGET_OF -> List.of(query.getLinkTargetOf());
      case XATTR -> List.of(query.getXattr().getInode());
      case XATTR_NAMES_OF -> List.of(query.getXattrNamesOf());
      case EXPORT_OF -> List.of(query.getExportOf());
      default -> List.of();
    };
  }

  /**
   * What the caller may keep of an answer: attributes unless the home knows better ones, xattrs in
   * any case, of inodes that exist.
   */
  static List<Long> keepable(Namespace namespace, Query query, Reply reply) {
    int errno = reply.getErrno();
    return switch (query.getQueryCase()) {
      case LOOKUP -> keepable(namespace, query.getLookup().getParent(), reply);
      case LIST -> errno == 0 ? listed(query.getList().getDirectory(), reply) : List.of();
      case LINK_TARGET_OF, XATTR, XATTR_NAMES_OF ->
          errno == 0 || errno == ENODATA ? in(query, reply) : List.of();
      case ATTRIBUTES_OF ->
          errno == 0 && !reply.getAttributes().getAtHome() ? in(query, reply) : List.of();
      default -> List.of();
    };
  }

  private static List<Long> keepable(Namespace namespace, long parent, Reply lookedUp) {
    if (lookedUp.hasAttributes()) {
      return lookedUp.getAttributes().getAtHome()
          ? List.of(parent)
          : List.of(parent, lookedUp.getAttributes().getInode());
    }
    boolean absent = lookedUp.getErrno() == ENOENT && namespace.isSettled(parent);
    return absent ? List.of(parent) : List.of();
  }

  private static List<Long> listed(long directory, Reply reply) {
    List<Long> kept = new ArrayList<>();
    kept.add(directory);
    for (DirectoryEntry entry : reply.getPage().getEntriesList()) {
      if (entry.hasAttributes() && !entry.getAttributes().getAtHome()) {
        kept.add(entry.getInode());
      }
    }
    return kept;
  }

  /** Those that a command names. */
  static List<Long> in(Operation operation) {
    return switch (operation.getOperationCase()) {
      case CREATE -> List.of(operation.getCreate().getParent());
      case LINK -> List.of(operation.getLink().getInode(), operation.getLink().getParent());
      case REMOVE -> List.of(operation.getRemove().getParent());
      case RENAME ->
          List.of(operation.getRename().getOldParent(), operation.getRename().getNewParent());
      case SET_ATTRIBUTES -> List.of(operation.getSetAttributes().getInode());
      case OPEN -> List.of(operation.getOpen().getInode());
      case CLOSE -> List.of(operation.getClose().getInode());
      case CLOSE_FILES ->
          operation.getCloseFiles().getClosesList().stream().map(Close::getInode).toList();
      case SET_XATTR -> List.of(operation.getSetXattr().getInode());
      case REMOVE_XATTR -> List.of(operation.getRemoveXattr().getInode());
      case SETTLE -> List.of(operation.getSettle().getInode());
      case EXPORT_FILE -> List.of(operation.getExportFile().getInode());
      case END_EXPORT -> List.of(operation.getEndExport());
      default -> List.of();
    };
  }

  /** Its answer tells nothing of any inode. */
  static boolean isAboutNone(Operation operation) {
    return switch (operation.getOperationCase()) {
      case OPEN_SESSION, END_SESSIONS, FOUND, ADD_REPLICA, ADD_NODE, EXPIRE_NODE, DROPPED -> true;
      case LOCK, CANCEL_LOCK, END_LOCKS -> true;
      default -> false;
    };
  }

  /**
   * Its answer may tell of inodes that nobody has named: a refusal of what lies behind a name, a
   * move between directories of where they are in the tree.
   */
  static boolean mayTellOfAny(Operation operation, Reply reply) {
    Rename rename = operation.getRename();
    return reply.getErrno() != 0 || rename.getOldParent() != rename.getNewParent();
  }
}
