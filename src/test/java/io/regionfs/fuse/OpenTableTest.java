package io.regionfs.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class OpenTableTest {
  private final OpenTable<String> table = new OpenTable<>();

  @Test
  void handlesAreNeverReused() {
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    Map<Long, String> open = new HashMap<>();
    Map<Long, String> ever = new HashMap<>();
    for (int i = 0; i < 5000; i++) {
      if (open.isEmpty() || random.nextInt(3) > 0) {
        String value = "file " + i;
        long handle = table.add(value);
        assertThat(ever.put(handle, value)).isNull();
        open.put(handle, value);
      } else {
        long handle = open.keySet().iterator().next();
        assertThat(table.remove(handle)).isEqualTo(open.remove(handle));
        assertThatThrownBy(() -> table.get(handle)).hasMessageContaining("EBADF");
      }
    }
    open.forEach((handle, value) -> assertThat(table.get(handle)).isEqualTo(value));
    assertThat(table.removeAll()).containsExactlyInAnyOrderElementsOf(open.values());
  }

  @Test
  void whatWasNeverGivenIsEbadf() {
    table.add("a");
    for (long handle : new long[] {0, 1, -1, 64, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 32 | 63}) {
      assertThatThrownBy(() -> table.get(handle)).hasMessageContaining("EBADF");
      assertThatThrownBy(() -> table.remove(handle)).hasMessageContaining("EBADF");
    }
  }
}
