package io.regionfs.meta;

import com.google.protobuf.ByteString;
import io.regionfs.meta.CachedInode.Xattr;
import io.regionfs.meta.Metadata.DirectoryPage;
import io.regionfs.meta.NodeCache.Question;
import io.regionfs.model.Attributes;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.model.Name;
import io.regionfs.proto.DirectoryEntry;
import io.regionfs.proto.Grant;
import io.regionfs.proto.ListQuery;
import io.regionfs.proto.LookupQuery;
import io.regionfs.proto.Query;
import io.regionfs.proto.Reply;
import io.regionfs.proto.XattrQuery;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Questions about names and inodes, answered from the cache where it may answer. */
final class CachedQueries {
  private final NodeCache cache;
  private final Function<Query.Builder, Reply> service;

  /**
   * @param service asks the service; its reply may be a refusal
   */
  CachedQueries(NodeCache cache, Function<Query.Builder, Reply> service) {
    this.cache = cache;
    this.service = service;
  }

  Attributes lookup(InodeId parent, Name name) {
    CachedInode directory = cache.find(parent, Function.identity());
    InodeId child = directory == null ? null : directory.child(name);
    if (child != null) {
      Attributes known =
          child.equals(CachedInode.NO_SUCH_NAME)
              ? null
              : cache.find(child, CachedInode::attributes);
      // The directory was not forgotten meanwhile: name and attributes belong together.
      boolean unchanged = cache.find(parent, Function.identity()) == directory;
      if (unchanged && child.equals(CachedInode.NO_SUCH_NAME)) {
        throw new FsException(Errno.ENOENT, "no such name");
      }
      if (unchanged && known != null) {
        return known;
      }
    }
    Question question = cache.question();
    LookupQuery lookup =
        LookupQuery.newBuilder().setParent(parent.value()).setName(Messages.bytes(name)).build();
    Reply reply = service.apply(Query.newBuilder().setLookup(lookup));
    if (reply.getErrno() == Errno.ENOENT.code()) {
      cache.fill(
          question,
          reply.getGrant(),
          parent,
          cached -> cached.putChild(name, CachedInode.NO_SUCH_NAME));
    }
    Attributes found = Messages.attributes(Calls.checked(reply).getAttributes());
    cache.fill(question, reply.getGrant(), parent, cached -> cached.putChild(name, found.inode()));
    keep(question, reply.getGrant(), found);
    return found;
  }

  /** The child of this name, if it is known. */
  @Nullable InodeId child(InodeId parent, Name name) {
    InodeId child = cache.find(parent, cached -> cached.child(name));
    return child == null || child.equals(CachedInode.NO_SUCH_NAME) ? null : child;
  }

  /** Whether a read at this time moves the access time, as far as is known here. */
  boolean movesAccessTime(InodeId inode, Instant time) {
    Attributes known = cache.find(inode, CachedInode::attributes);
    return known != null
        && Relatime.moves(
            nanos(time), nanos(known.atime()), nanos(known.mtime()), nanos(known.ctime()));
  }

  private static long nanos(Instant time) {
    return Messages.nanos(Messages.time(time));
  }

  Attributes attributes(InodeId inode) {
    Attributes known = cache.find(inode, CachedInode::attributes);
    if (known != null) {
      return known;
    }
    Question question = cache.question();
    Reply reply = ask(Query.newBuilder().setAttributesOf(inode.value()));
    Attributes found = Messages.attributes(reply.getAttributes());
    keep(question, reply.getGrant(), found);
    return found;
  }

  /** What the home knows better is not kept. */
  private void keep(Question question, Grant grant, Attributes found) {
    if (!found.atHome()) {
      cache.fill(question, grant, found.inode(), cached -> cached.put(found));
    }
  }

  DirectoryPage list(InodeId directory, long afterCookie) {
    DirectoryPage known = cache.find(directory, cached -> cached.page(afterCookie));
    if (known != null) {
      return known;
    }
    Question question = cache.question();
    ListQuery list =
        ListQuery.newBuilder()
            .setDirectory(directory.value())
            .setAfterCookie(afterCookie)
            .setAttributes(cache.isUsable())
            .build();
    Reply reply = ask(Query.newBuilder().setList(list));
    DirectoryPage page = Messages.page(reply.getPage());
    cache.fill(question, reply.getGrant(), directory, cached -> cached.putPage(afterCookie, page));
    keepListed(question, reply);
    return page;
  }

  private void keepListed(Question question, Reply reply) {
    Grant grant = reply.getGrant();
    if (grant.getInodesCount() == 0 || !cache.isOfThisTerm(question, grant)) {
      return;
    }
    Set<Long> granted = new HashSet<>(grant.getInodesList());
    for (DirectoryEntry entry : reply.getPage().getEntriesList()) {
      if (entry.hasAttributes()
          && !entry.getAttributes().getAtHome()
          && granted.contains(entry.getInode())) {
        Attributes listed = Messages.attributes(entry.getAttributes());
        cache.fillGranted(question, listed.inode(), cached -> cached.put(listed));
      }
    }
  }

  byte[] readLink(InodeId symlink) {
    ByteString known = cache.find(symlink, CachedInode::linkTarget);
    if (known == null) {
      Question question = cache.question();
      Reply reply = ask(Query.newBuilder().setLinkTargetOf(symlink.value()));
      ByteString target = reply.getValue();
      cache.fill(question, reply.getGrant(), symlink, cached -> cached.putLinkTarget(target));
      known = target;
    }
    return known.toByteArray();
  }

  byte[] xattr(InodeId inode, ByteString name) {
    Xattr known = cache.find(inode, cached -> cached.xattr(name));
    ByteString value = known == null ? askXattr(inode, name) : known.value();
    if (value == null) {
      throw new FsException(Errno.ENODATA, "no such attribute");
    }
    return value.toByteArray();
  }

  private ByteString askXattr(InodeId inode, ByteString name) {
    Question question = cache.question();
    XattrQuery query = XattrQuery.newBuilder().setInode(inode.value()).setName(name).build();
    Reply reply = service.apply(Query.newBuilder().setXattr(query));
    if (reply.getErrno() == Errno.ENODATA.code()) {
      cache.fill(
          question, reply.getGrant(), inode, cached -> cached.putXattr(name, new Xattr(null)));
    }
    ByteString value = Calls.checked(reply).getValue();
    cache.fill(
        question, reply.getGrant(), inode, cached -> cached.putXattr(name, new Xattr(value)));
    return value;
  }

  List<byte[]> xattrNames(InodeId inode) {
    List<ByteString> known = cache.find(inode, CachedInode::xattrNames);
    if (known == null) {
      Question question = cache.question();
      Reply reply = ask(Query.newBuilder().setXattrNamesOf(inode.value()));
      List<ByteString> names = List.copyOf(reply.getNames().getNamesList());
      cache.fill(question, reply.getGrant(), inode, cached -> cached.putXattrNames(names));
      known = names;
    }
    return known.stream().map(ByteString::toByteArray).toList();
  }

  private Reply ask(Query.Builder query) {
    return Calls.checked(service.apply(query));
  }
}
