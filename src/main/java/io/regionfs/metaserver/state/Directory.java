package io.regionfs.metaserver.state;

import com.google.protobuf.ByteString;
import io.regionfs.proto.Create;
import io.regionfs.proto.DirectoryEntry;
import io.regionfs.proto.DirectoryPage;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A directory with its entries by name and in cookie order. Cookies only grow, and an entry keeps
 * its cookie as long as its name exists, so a listing that goes on after a cookie neither repeats
 * nor misses an entry that was there all the time.
 */
final class Directory extends Inode {
  /** Smaller cookies are free for "." and "..". */
  static final long FIRST_COOKIE = 16;

  /** What one entry adds to st_size, as in tmpfs. */
  private static final int SHOWN_ENTRY_BYTES = 20;

  /** Tag and length of one entry in the page's message. */
  private static final int ENTRY_ENVELOPE_BYTES = 4;

  private static final int FEW = 32;

  /** The parent directory; the root is its own. */
  Directory parent;

  private final Map<ByteString, Entry> byName = new HashMap<>();

  /** Sorted, as entries are only ever added at the end; holds removed ones until it is packed. */
  private final List<Entry> byCookie = new ArrayList<>();

  private int removed;
  private long nextCookie = FIRST_COOKIE;

  /** One name. The inode behind it changes when another file is renamed over it. */
  static final class Entry {
    final ByteString name;
    final long cookie;
    Inode inode;
    private boolean gone;

    private Entry(ByteString name, long cookie, Inode inode) {
      this.name = name;
      this.cookie = cookie;
      this.inode = inode;
    }
  }

  Directory(long id, @Nullable Directory parent, Create create, int gid, int mode, long now) {
    super(id, create, gid, mode, now);
    this.parent = parent == null ? this : parent;
  }

  @Nullable Entry find(ByteString name) {
    return byName.get(name);
  }

  boolean isEmpty() {
    return byName.isEmpty();
  }

  Collection<Entry> entries() {
    return byCookie.stream().filter(entry -> !entry.gone).toList();
  }

  /** The name must be free. */
  void add(ByteString name, Inode inode) {
    Entry entry = new Entry(name, nextCookie++, inode);
    byName.put(name, entry);
    byCookie.add(entry);
  }

  void remove(Entry entry) {
    byName.remove(entry.name);
    entry.gone = true;
    removed++;
    if (removed > FEW && removed > byCookie.size() / 2) {
      byCookie.removeIf(e -> e.gone);
      removed = 0;
    }
  }

  /** Is this directory the other one, or somewhere below it? */
  boolean isWithin(Inode other) {
    Directory up = this;
    while (up != other && up.parent != up) {
      up = up.parent;
    }
    return up == other;
  }

  /** The entries after the cookie that fit; at least one, if there is any. */
  DirectoryPage page(long afterCookie, int maxBytes) {
    DirectoryPage.Builder page = DirectoryPage.newBuilder().setParent(parent.id);
    int bytes = 0;
    for (int i = firstAfter(afterCookie); i < byCookie.size(); i++) {
      Entry entry = byCookie.get(i);
      if (entry.gone) {
        continue;
      }
      DirectoryEntry message =
          DirectoryEntry.newBuilder()
              .setName(entry.name)
              .setInode(entry.inode.id)
              .setType(entry.inode.type)
              .setCookie(entry.cookie)
              .build();
      bytes += message.getSerializedSize() + ENTRY_ENVELOPE_BYTES;
      if (bytes > maxBytes && page.getEntriesCount() > 0) {
        return page.build();
      }
      page.addEntries(message);
    }
    return page.setLast(true).build();
  }

  private int firstAfter(long cookie) {
    int low = 0;
    int high = byCookie.size();
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (byCookie.get(middle).cookie <= cookie) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  @Override
  long shownSize() {
    return (long) byName.size() * SHOWN_ENTRY_BYTES;
  }

  @Override
  void addTo(Fingerprint print) {
    super.addTo(print);
    print.add(parent.id).add(nextCookie);
    for (Entry entry : entries()) {
      print.add(entry.name).add(entry.cookie).add(entry.inode.id);
    }
  }
}
