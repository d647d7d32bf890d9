package io.regionfs.meta;

import com.google.protobuf.ByteString;
import io.regionfs.meta.Metadata.DirectoryPage;
import io.regionfs.model.Attributes;
import io.regionfs.model.InodeId;
import io.regionfs.model.Name;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * What a node knows of one inode. Filled by one thread at a time, read by many without a lock; when
 * anything of it changes the whole is thrown away.
 */
final class CachedInode {
  /** In place of an inode's number: there is no such name. */
  static final InodeId NO_SUCH_NAME = new InodeId(0);

  private volatile @Nullable Attributes attributes;
  private volatile @Nullable ByteString linkTarget;
  private volatile @Nullable List<ByteString> xattrNames;
  private volatile @Nullable ConcurrentHashMap<ByteString, Xattr> xattrs;
  private volatile @Nullable ConcurrentHashMap<Name, InodeId> names;

  /** Every page of the listing is known: there are no other names. */
  private volatile boolean namesComplete;

  /** By the cookie after which they start. */
  private volatile @Nullable ConcurrentHashMap<Long, DirectoryPage> pages;

  /** For the eviction: somebody asked since it last came by. */
  private volatile boolean used;

  private int weight = 1;

  /** An extended attribute; null: there is none of that name. */
  record Xattr(@Nullable ByteString value) {}

  @Nullable Attributes attributes() {
    return attributes;
  }

  @Nullable ByteString linkTarget() {
    return linkTarget;
  }

  @Nullable List<ByteString> xattrNames() {
    return xattrNames;
  }

  @Nullable Xattr xattr(ByteString name) {
    ConcurrentHashMap<ByteString, Xattr> known = xattrs;
    return known == null ? null : known.get(name);
  }

  /** {@link #NO_SUCH_NAME} if it is known that there is none; null if nothing is known. */
  @Nullable InodeId child(Name name) {
    boolean complete = namesComplete;
    ConcurrentHashMap<Name, InodeId> known = names;
    InodeId child = known == null ? null : known.get(name);
    return child == null && complete ? NO_SUCH_NAME : child;
  }

  @Nullable DirectoryPage page(long afterCookie) {
    ConcurrentHashMap<Long, DirectoryPage> known = pages;
    return known == null ? null : known.get(afterCookie);
  }

  void put(Attributes value) {
    attributes = value;
  }

  void putLinkTarget(ByteString value) {
    linkTarget = value;
  }

  void putXattrNames(List<ByteString> value) {
    weight += value.size();
    xattrNames = value;
  }

  void putXattr(ByteString name, Xattr value) {
    ConcurrentHashMap<ByteString, Xattr> known = xattrs;
    if (known == null) {
      known = new ConcurrentHashMap<>(4);
      xattrs = known;
    }
    weight += known.put(name, value) == null ? 1 : 0;
  }

  void putChild(Name name, InodeId inode) {
    ConcurrentHashMap<Name, InodeId> known = names;
    if (known == null) {
      known = new ConcurrentHashMap<>(4);
      names = known;
    }
    weight += known.put(name, inode) == null ? 1 : 0;
  }

  void putPage(long afterCookie, DirectoryPage page) {
    ConcurrentHashMap<Long, DirectoryPage> known = pages;
    if (known == null) {
      known = new ConcurrentHashMap<>(4);
      pages = known;
    }
    weight += known.put(afterCookie, page) == null ? page.entries().size() : 0;
    page.entries().forEach(entry -> putChild(entry.name(), entry.inode()));
    if (page.last()) {
      namesComplete = namesComplete || isChain(known);
    }
  }

  /** From the start to the last page without a gap. */
  private static boolean isChain(ConcurrentHashMap<Long, DirectoryPage> pages) {
    DirectoryPage page = pages.get(0L);
    while (page != null && !page.last() && !page.entries().isEmpty()) {
      page = pages.get(page.entries().get(page.entries().size() - 1).cookie());
    }
    return page != null && page.last();
  }

  /** In things remembered. */
  int weight() {
    return weight;
  }

  void use() {
    if (!used) {
      used = true;
    }
  }

  /** Whether it was used since the last time this was asked. */
  boolean wasUsed() {
    boolean was = used;
    used = false;
    return was;
  }
}
