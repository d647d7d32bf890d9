package io.regionfs.fs;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.meta.Metadata;
import io.regionfs.meta.Metadata.DirectoryPage;
import io.regionfs.meta.Metadata.Entry;
import io.regionfs.model.FileType;
import io.regionfs.model.InodeId;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * A directory listed page by page from the metadata service. The page that is being read is kept
 * between calls; going back to the start asks again. Cookies are the service's plus 2: 1 is ".", 2
 * is "..".
 */
final class PagedDirectory implements OpenDirectory {
  private static final long DOT = 1;
  private static final long DOT_DOT = 2;
  private static final byte[] DOT_NAME = ".".getBytes(StandardCharsets.UTF_8);
  private static final byte[] DOT_DOT_NAME = "..".getBytes(StandardCharsets.UTF_8);

  private final Metadata metadata;
  private final InodeId directory;

  /** Not held while the service is asked. */
  private final Object lock = new Object();

  @GuardedBy("lock")
  private @Nullable Page kept;

  /** It was fetched by the open, so that the first listing need not ask again. */
  @GuardedBy("lock")
  private boolean unread = true;

  private PagedDirectory(Metadata metadata, InodeId directory, Page first) {
    this.metadata = metadata;
    this.directory = directory;
    this.kept = first;
  }

  /** ENOENT, ENOTDIR. */
  static PagedDirectory open(Metadata metadata, InodeId directory) {
    return new PagedDirectory(metadata, directory, new Page(0, metadata.list(directory, 0)));
  }

  @Override
  public void list(long afterCookie, Receiver receiver) {
    if (afterCookie == 0) {
      rewind();
    }
    if (afterCookie < DOT && !receiver.entry(DOT_NAME, directory, FileType.DIRECTORY, DOT)) {
      return;
    }
    long position = Math.max(0, afterCookie - DOT_DOT);
    Page page = pageAfter(position);
    if (afterCookie < DOT_DOT
        && !receiver.entry(DOT_DOT_NAME, page.page.parent(), FileType.DIRECTORY, DOT_DOT)) {
      return;
    }
    while (offer(page, position, receiver) && !page.page.last() && page.end() > position) {
      position = page.end();
      page = pageAfter(position);
    }
  }

  /** Entries of the page after a position; false if the receiver has had enough. */
  private static boolean offer(Page page, long position, Receiver receiver) {
    for (Entry entry : page.page.entries()) {
      if (entry.cookie() > position
          && !receiver.entry(
              entry.name().bytes(), entry.inode(), entry.type(), entry.cookie() + DOT_DOT)) {
        return false;
      }
    }
    return true;
  }

  private void rewind() {
    synchronized (lock) {
      if (!unread) {
        kept = null;
      }
      unread = false;
    }
  }

  private Page pageAfter(long position) {
    synchronized (lock) {
      Page page = kept;
      if (page != null && page.covers(position)) {
        return page;
      }
    }
    Page fetched = new Page(position, metadata.list(directory, position));
    synchronized (lock) {
      kept = fetched;
    }
    return fetched;
  }

  @Override
  public void close() {
    synchronized (lock) {
      kept = null;
    }
  }

  /** The entries after a cookie of the service. */
  private record Page(long after, DirectoryPage page) {
    long end() {
      return page.entries().isEmpty()
          ? after
          : page.entries().get(page.entries().size() - 1).cookie();
    }

    /** Everything known after the position is here, and there is something or nothing follows. */
    boolean covers(long position) {
      return position >= after && (position < end() || (position == end() && page.last()));
    }
  }
}
