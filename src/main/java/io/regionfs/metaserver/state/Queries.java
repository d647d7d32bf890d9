package io.regionfs.metaserver.state;

import com.google.protobuf.ByteString;
import io.regionfs.model.Errno;
import io.regionfs.proto.DirectoryEntry;
import io.regionfs.proto.DirectoryPage;
import io.regionfs.proto.FileType;
import io.regionfs.proto.ListQuery;
import io.regionfs.proto.LookupQuery;
import io.regionfs.proto.NameList;
import io.regionfs.proto.Query;
import io.regionfs.proto.Reply;
import io.regionfs.proto.XattrQuery;
import io.regionfs.rpc.RpcTransport;
import java.util.function.Predicate;

/** Answers questions from the state; changes nothing. */
final class Queries {
  /** Leaves room for the envelope of a page. */
  private static final int MAX_PAGE_BYTES = RpcTransport.MAX_MESSAGE_BYTES - 1024;

  /** Tag and length of one entry in the page's message. */
  private static final int ENTRY_ENVELOPE_BYTES = 4;

  private final Inodes inodes;
  private final LockCommands locks;
  private final ExportCommands exports;

  Queries(Inodes inodes, LockCommands locks, ExportCommands exports) {
    this.exports = exports;
    this.inodes = inodes;
    this.locks = locks;
  }

  Reply answer(Query query) {
    return switch (query.getQueryCase()) {
      case LOOKUP -> lookup(query.getLookup());
      case ATTRIBUTES_OF -> attributes(query.getAttributesOf());
      case LIST -> list(query.getList());
      case LINK_TARGET_OF -> linkTarget(query.getLinkTargetOf());
      case XATTR -> xattr(query.getXattr());
      case XATTR_NAMES_OF -> xattrNames(query.getXattrNamesOf());
      case CONFLICTING_LOCK -> locks.conflicting(query.getConflictingLock());
      case EXPORT_OF -> exports.exportOf(query.getExportOf());
      case EXPORTS_AT -> exports.exportsAt(query.getExportsAt());
      default -> Replies.refusal(Errno.EINVAL, "unknown query");
    };
  }

  private Reply lookup(LookupQuery lookup) {
    Inode parent = inodes.find(lookup.getParent());
    if (parent == null) {
      return Replies.NO_SUCH_INODE;
    }
    if (!(parent instanceof Directory directory)) {
      throw new Refusal(Errno.ENOTDIR, "inode " + parent.id + " is no directory");
    }
    Entry entry = directory.find(lookup.getName());
    if (entry == null) {
      Inodes.checkName(lookup.getName());
      return Replies.NO_SUCH_NAME;
    }
    return Replies.attributes(inodes.of(entry));
  }

  private Reply attributes(long id) {
    Inode inode = inodes.find(id);
    return inode == null ? Replies.NO_SUCH_INODE : Replies.attributes(inode);
  }

  private Reply list(ListQuery list) {
    if (!(inodes.get(list.getDirectory()) instanceof Directory directory)) {
      throw new Refusal(Errno.ENOTDIR, "inode " + list.getDirectory() + " is no directory");
    }
    int asked = list.getMaxBytes();
    int bytes = asked <= 0 ? MAX_PAGE_BYTES : Math.min(asked, MAX_PAGE_BYTES);
    Page page = new Page(bytes, list.getAttributes());
    boolean last = directory.visitAfter(list.getAfterCookie(), page);
    page.message.setParent(directory.parent).setLast(last);
    return Reply.newBuilder().setPage(page.message).build();
  }

  /** The entries that fit; at least one, if there is any. */
  private final class Page implements Predicate<Entry> {
    private final DirectoryPage.Builder message = DirectoryPage.newBuilder();
    private final int maxBytes;
    private final boolean attributes;
    private int bytes;

    private Page(int maxBytes, boolean attributes) {
      this.maxBytes = maxBytes;
      this.attributes = attributes;
    }

    @Override
    public boolean test(Entry entry) {
      Inode inode = inodes.of(entry);
      DirectoryEntry.Builder one =
          DirectoryEntry.newBuilder()
              .setName(entry.name())
              .setInode(inode.id)
              .setType(inode.type())
              .setCookie(entry.cookie);
      if (attributes) {
        one.setAttributes(inode.attributes());
      }
      DirectoryEntry built = one.build();
      bytes += built.getSerializedSize() + ENTRY_ENVELOPE_BYTES;
      if (bytes > maxBytes && message.getEntriesCount() > 0) {
        return false;
      }
      message.addEntries(built);
      return true;
    }
  }

  private Reply linkTarget(long id) {
    Inode inode = inodes.get(id);
    if (inode.type() != FileType.FILE_TYPE_SYMLINK) {
      throw new Refusal(Errno.EINVAL, "inode " + id + " is no symlink");
    }
    return Reply.newBuilder().setValue(inode.target()).build();
  }

  private Reply xattr(XattrQuery query) {
    Inode inode = inodes.get(query.getInode());
    ByteString value = inode.xattrs == null ? null : inode.xattrs.get(query.getName());
    if (value == null) {
      throw new Refusal(Errno.ENODATA, "no such attribute");
    }
    return Reply.newBuilder().setValue(value).build();
  }

  private Reply xattrNames(long id) {
    Inode inode = inodes.get(id);
    NameList.Builder names = NameList.newBuilder();
    if (inode.xattrs != null) {
      names.addAllNames(inode.xattrs.names());
    }
    return Reply.newBuilder().setNames(names).build();
  }
}
