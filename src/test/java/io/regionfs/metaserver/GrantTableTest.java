package io.regionfs.metaserver;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class GrantTableTest {
  private static List<Integer> take(GrantTable table, long inode) {
    return Arrays.stream(table.take(inode)).sorted().boxed().toList();
  }

  @Test
  void holdersAreTakenOnce() {
    GrantTable table = new GrantTable(10);
    assertThat(table.add(1, 5)).isTrue();
    assertThat(table.add(1, 5)).isTrue();
    assertThat(table.add(1, 6)).isTrue();
    assertThat(table.add(2, 5)).isTrue();
    assertThat(table.size()).isEqualTo(3);
    assertThat(take(table, 1)).containsExactly(5, 6);
    assertThat(take(table, 1)).isEmpty();
    assertThat(table.size()).isEqualTo(1);
  }

  @Test
  void whatDoesNotFitIsNotAdded() {
    GrantTable table = new GrantTable(2);
    assertThat(table.add(1, 5)).isTrue();
    assertThat(table.add(2, 5)).isTrue();
    assertThat(table.add(3, 5)).isFalse();
    assertThat(table.add(1, 5)).isTrue();
    take(table, 2);
    assertThat(table.add(3, 5)).isTrue();
  }

  @Test
  void someFindsWhatIsThere() {
    GrantTable table = new GrantTable(1000);
    for (int inode = 1; inode <= 300; inode++) {
      table.add(inode, 1);
    }
    TreeSet<Long> found = new TreeSet<>();
    for (int i = 0; i < 64 * 64; i++) {
      found.add(table.some(i));
    }
    found.remove(0L);
    assertThat(found).hasSize(300);
  }

  @Test
  void agreesWithAMap() {
    long seed = new Random().nextLong();
    System.out.println("GrantTableTest seed " + seed);
    Random random = new Random(seed);
    GrantTable table = new GrantTable(100_000);
    Map<Long, TreeSet<Integer>> model = new HashMap<>();
    for (int i = 0; i < 200_000; i++) {
      long inode = 1L + random.nextInt(3000);
      if (random.nextInt(4) > 0) {
        int holder = random.nextInt(6);
        assertThat(table.add(inode, holder)).isTrue();
        model.computeIfAbsent(inode, key -> new TreeSet<>()).add(holder);
      } else {
        TreeSet<Integer> expected = model.remove(inode);
        assertThat(take(table, inode))
            .isEqualTo(List.copyOf(expected == null ? List.of() : expected));
      }
      if (random.nextInt(20_000) == 0) {
        int gone = random.nextInt(6);
        table.purge(holder -> holder == gone);
        model.values().forEach(holders -> holders.remove(gone));
      }
    }
    assertThat(table.size()).isEqualTo(model.values().stream().mapToInt(TreeSet::size).sum());
  }
}
