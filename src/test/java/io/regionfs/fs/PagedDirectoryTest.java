package io.regionfs.fs;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.meta.Metadata;
import io.regionfs.meta.Metadata.DirectoryPage;
import io.regionfs.meta.Metadata.Entry;
import io.regionfs.model.FileType;
import io.regionfs.model.InodeId;
import io.regionfs.model.Name;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** A directory of short pages. */
class PagedDirectoryTest {
  private static final InodeId DIRECTORY = new InodeId(7);
  private static final int PAGE = 3;

  private final TreeMap<Long, String> entries = new TreeMap<>();
  private int pages;

  private final Metadata metadata =
      (Metadata)
          Proxy.newProxyInstance(
              getClass().getClassLoader(),
              new Class<?>[] {Metadata.class},
              (proxy, method, args) -> page((Long) args[1]));

  private DirectoryPage page(long after) {
    pages++;
    List<Entry> page =
        entries.tailMap(after, false).entrySet().stream()
            .limit(PAGE)
            .map(
                e ->
                    new Entry(
                        Name.of(e.getValue()), new InodeId(e.getKey()), FileType.FILE, e.getKey()))
            .toList();
    boolean last = entries.tailMap(after, false).size() == page.size();
    return new DirectoryPage(page, last, InodeId.ROOT);
  }

  private PagedDirectory open() {
    return PagedDirectory.open(metadata, DIRECTORY);
  }

  private void add(int... cookies) {
    for (int cookie : cookies) {
      entries.put((long) cookie, "f" + cookie);
    }
  }

  @Test
  void everyEntryComesOnceHoweverTheListingIsCut() {
    for (int count = 0; count < 10; count++) {
      List<String> all = new ArrayList<>(List.of(".", ".."));
      entries.values().forEach(all::add);
      for (int perCall = 1; perCall < 8; perCall++) {
        try (PagedDirectory directory = open()) {
          assertThat(Files.list(directory, perCall)).isEqualTo(all);
        }
      }
      add(1 + count * 5);
    }
  }

  @Test
  void aPageIsAskedForOnce() {
    add(1, 2, 3, 4, 5, 6, 7);
    try (PagedDirectory directory = open()) {
      assertThat(Files.list(directory, 1)).hasSize(9);
      assertThat(pages).isEqualTo(3);
    }
  }

  @Test
  void goingBackToTheStartAsksAgain() {
    try (PagedDirectory directory = open()) {
      assertThat(Files.list(directory, 2)).containsExactly(".", "..");
      add(1);
      assertThat(Files.list(directory, 2)).containsExactly(".", "..", "f1");
      entries.clear();
      assertThat(Files.list(directory, 2)).containsExactly(".", "..");
    }
  }

  @Test
  void aListingGoesOnAtAnyCookie() {
    add(1, 2, 3, 4, 5, 6, 7);
    try (PagedDirectory directory = open()) {
      List<Long> cookies = new ArrayList<>();
      directory.list(0, (name, inode, type, cookie) -> cookies.add(cookie));
      List<String> names = Files.list(directory, 99);
      for (int i = names.size() - 1; i >= 0; i--) {
        List<String> rest = new ArrayList<>();
        directory.list(cookies.get(i), (name, inode, type, cookie) -> rest.add(text(name)));
        assertThat(rest).isEqualTo(names.subList(i + 1, names.size()));
      }
    }
  }

  @Test
  void entriesThatStayAreListedWhateverElseChanges() {
    add(1, 2, 3, 4, 5, 6);
    try (PagedDirectory directory = open()) {
      List<String> names = new ArrayList<>();
      long cookie = 0;
      for (int i = 0; i < 4; i++) {
        cookie = takeOne(directory, cookie, names);
      }
      entries.remove(2L);
      entries.remove(5L);
      add(9);
      for (int i = 0; i < 9; i++) {
        cookie = takeOne(directory, cookie, names);
      }
      assertThat(names).startsWith(".", "..", "f1", "f2").contains("f3", "f4", "f6", "f9");
      assertThat(names).doesNotHaveDuplicates();
    }
  }

  private static long takeOne(PagedDirectory directory, long after, List<String> names) {
    long[] taken = {after};
    directory.list(
        after,
        (name, inode, type, cookie) -> {
          if (taken[0] != after) {
            return false;
          }
          taken[0] = cookie;
          return names.add(text(name));
        });
    return taken[0];
  }

  private static String text(byte[] name) {
    return new String(name, StandardCharsets.UTF_8);
  }
}
