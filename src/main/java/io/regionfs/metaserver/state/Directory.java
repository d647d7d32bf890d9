package io.regionfs.metaserver.state;

import com.google.protobuf.ByteString;
import io.regionfs.proto.Create;
import io.regionfs.proto.SnapshotInode;
import java.util.function.Predicate;
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

  /** Up to so many entries are searched one by one. */
  private static final int FEW = 8;

  /** Number of the parent directory; the root is its own. */
  long parent;

  private long nextCookie;
  private final EntryList entries = new EntryList();

  /** Null while the entries are few. */
  private @Nullable EntryIndex index;

  Directory(long id, long parent, Create create, int gid, int mode, long now) {
    super(id, create, gid, mode, now);
    this.parent = parent;
    this.nextCookie = FIRST_COOKIE;
  }

  Directory(SnapshotInode record) {
    super(record);
    parent = record.getParent();
    nextCookie = record.getNextCookie();
  }

  long nextCookie() {
    return nextCookie;
  }

  @Nullable Entry find(ByteString name) {
    if (index != null) {
      return index.find(name);
    }
    Search search = new Search(name);
    entries.visitAfter(0, search);
    return search.found;
  }

  private static final class Search implements Predicate<Entry> {
    private final ByteString name;
    private @Nullable Entry found;

    private Search(ByteString name) {
      this.name = name;
    }

    @Override
    public boolean test(Entry entry) {
      if (entry.isNamed(name)) {
        found = entry;
      }
      return found == null;
    }
  }

  boolean isEmpty() {
    return entries.size() == 0;
  }

  int count() {
    return entries.size();
  }

  /** The name must be free. */
  Entry add(ByteString name, long inode) {
    Entry entry = new Entry(name, nextCookie, inode);
    add(entry);
    return entry;
  }

  /** Its name must be free and its cookie larger than those of all others. */
  void add(Entry entry) {
    entries.append(entry);
    nextCookie = Math.max(nextCookie, entry.cookie + 1);
    if (index != null) {
      index.add(entry);
    } else if (entries.size() > FEW) {
      EntryIndex made = new EntryIndex();
      entries.visitAfter(
          0,
          one -> {
            made.add(one);
            return true;
          });
      index = made;
    }
  }

  void remove(Entry entry) {
    entries.remove(entry);
    if (index != null && entries.size() <= FEW / 2) {
      index = null;
    } else if (index != null) {
      index.remove(entry);
    }
  }

  /** As {@link EntryList#visitAfter}. */
  boolean visitAfter(long cookie, Predicate<Entry> visitor) {
    return entries.visitAfter(cookie, visitor);
  }

  @Override
  long shownSize() {
    return (long) entries.size() * SHOWN_ENTRY_BYTES;
  }

  @Override
  void addTo(Fingerprint print) {
    super.addTo(print);
    print.add(parent).add(nextCookie);
  }

  @Override
  SnapshotInode.Builder record() {
    return super.record().setParent(parent).setNextCookie(nextCookie);
  }
}
