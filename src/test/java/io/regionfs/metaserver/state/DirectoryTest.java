package io.regionfs.metaserver.state;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.regionfs.proto.Create;
import io.regionfs.proto.DirectoryEntry;
import io.regionfs.proto.DirectoryPage;
import io.regionfs.proto.FileType;
import io.regionfs.proto.ListQuery;
import io.regionfs.proto.Query;
import io.regionfs.rpc.RpcTransport;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Names by hash and by cookie, few and many, and the table of inodes. */
class DirectoryTest {
  private static final Create CREATE =
      Create.newBuilder().setType(FileType.FILE_TYPE_DIRECTORY).build();

  private final long seed = System.nanoTime();
  private final Random random = new Random(seed);
  private final Directory directory = new Directory(1, 1, CREATE, 0, 0755, 0);

  private List<ByteString> listed(long cookie) {
    List<ByteString> names = new ArrayList<>();
    directory.visitAfter(cookie, entry -> names.add(entry.name()));
    return names;
  }

  @Test
  void behavesAsALinkedMap() {
    System.out.println("DirectoryTest: seed " + seed);
    Map<ByteString, Long> model = new LinkedHashMap<>();
    for (int i = 0; i < 60_000; i++) {
      // Grows, is nearly emptied, and grows again.
      boolean grows = i / 15_000 % 2 == 0;
      ByteString name = Tree.bytes("name-" + random.nextInt(20_000));
      Entry found = directory.find(name);
      assertThat(found == null ? null : found.inode).as("seed %d", seed).isEqualTo(model.get(name));
      if (found == null && (grows || random.nextInt(10) == 0)) {
        directory.add(name, i);
        model.put(name, (long) i);
      } else if (found != null && (!grows || random.nextInt(4) == 0)) {
        directory.remove(found);
        model.remove(name);
      }
      if (i % 5_000 == 0) {
        assertThat(listed(0)).as("seed %d", seed).containsExactlyElementsOf(model.keySet());
      }
    }
    for (ByteString name : List.copyOf(model.keySet())) {
      directory.remove(Objects.requireNonNull(directory.find(name)));
    }
    assertThat(directory.isEmpty()).isTrue();
    assertThat(listed(0)).isEmpty();
    directory.add(Tree.bytes("again"), 5);
    assertThat(listed(0)).containsExactly(Tree.bytes("again"));
  }

  @Test
  void aListingGoesOnAfterAnyCookie() {
    for (int i = 0; i < 2_000; i++) {
      directory.add(Tree.bytes("n" + i), i);
    }
    for (int i = 0; i < 2_000; i++) {
      if (i % 7 != 0) {
        directory.remove(Objects.requireNonNull(directory.find(Tree.bytes("n" + i))));
      }
    }
    for (int after = 0; after < 2_000; after += 13) {
      List<ByteString> rest = listed(Directory.FIRST_COOKIE + after);
      int next = (after / 7 + 1) * 7;
      assertThat(rest).hasSize((1_999 - next) / 7 + 1);
      assertThat(rest.get(0)).isEqualTo(Tree.bytes("n" + next));
    }
  }

  /** Names whose hashes agree in all bits must not make the index grow without bound. */
  @Test
  void namesMadeToCollideAreFoundToo() {
    List<ByteString> same = collidingNames();
    for (ByteString name : same) {
      directory.add(name, 7);
    }
    for (ByteString name : same) {
      assertThat(directory.find(name)).isNotNull();
    }
    assertThat(directory.find(Tree.bytes("other"))).isNull();
    assertThat(directory.count()).isEqualTo(same.size());
  }

  /** All names that have the lower 12 bits of the hash in common. */
  private static List<ByteString> collidingNames() {
    List<ByteString> names = new ArrayList<>();
    for (int i = 0; names.size() < 300; i++) {
      ByteString name = Tree.bytes("c" + i);
      if ((Entry.hash(name) & 0xFFF) == 0xABC) {
        names.add(name);
      }
    }
    return names;
  }

  @Test
  void inodesAreFoundByNumberAndInOrder() {
    InodeTable table = new InodeTable();
    List<Long> numbers = new ArrayList<>();
    long number = 0;
    for (int i = 0; i < 3_000; i++) {
      number += i % 100 == 0 ? 1L << random.nextInt(40) : 1 + random.nextInt(3);
      numbers.add(number);
      table.add(new Inode(number, CREATE, 0, 0, 0));
    }
    for (int i = 0; i < numbers.size(); i += 2) {
      table.remove(Objects.requireNonNull(table.find(numbers.get(i))));
      assertThat(table.find(numbers.get(i))).isNull();
    }
    assertThat(table.count()).isEqualTo(1_500);
    List<Long> seen = new ArrayList<>();
    for (Inode next = table.after(0); next != null; next = table.after(next.id)) {
      seen.add(next.id);
    }
    List<Long> kept = new ArrayList<>();
    for (int i = 1; i < numbers.size(); i += 2) {
      kept.add(numbers.get(i));
    }
    assertThat(seen).as("seed %d", seed).isEqualTo(kept);
  }

  @Test
  void aListingBringsAttributesIfAskedFor() {
    Tree tree = new Tree();
    for (int i = 0; i < 3_000; i++) {
      tree.file(Tree.ROOT, "f" + i);
    }
    List<DirectoryEntry> entries = new ArrayList<>();
    DirectoryPage page = DirectoryPage.getDefaultInstance();
    while (!page.getLast()) {
      long after = entries.isEmpty() ? 0 : entries.get(entries.size() - 1).getCookie();
      ListQuery.Builder list = ListQuery.newBuilder().setDirectory(Tree.ROOT).setAttributes(true);
      Query query = Query.newBuilder().setList(list.setAfterCookie(after)).build();
      page = tree.namespace.query(query).getPage();
      assertThat(page.getSerializedSize()).isLessThan(RpcTransport.MAX_MESSAGE_BYTES);
      entries.addAll(page.getEntriesList());
    }
    assertThat(entries).hasSize(3_000);
    for (DirectoryEntry entry : entries) {
      assertThat(entry.getAttributes()).isEqualTo(tree.attributes(entry.getInode()));
    }
  }
}
