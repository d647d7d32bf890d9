package io.regionfs.posix;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class HugePagesTest {
  private static final MountTable MOUNTS =
      MountTable.parse(
          """
          1 0 8:1 / / rw - ext4 /dev/sda1 rw
          2 1 0:5 / /dev/shm rw - tmpfs tmpfs rw,size=1024k
          3 1 0:6 / /mnt rw - tmpfs tmpfs rw,huge=advise
          4 3 0:7 / /mnt/huge rw - tmpfs tmpfs rw,huge=always,inode64
          5 1 0:8 / /pages rw - hugetlbfs hugetlbfs rw,pagesize=2M
          """);

  @Test
  void theMountsPolicyCounts() {
    assertThat(HugePages.policyOf(Path.of("/dev/shm/x"), MOUNTS)).isEqualTo("never");
    assertThat(HugePages.policyOf(Path.of("/mnt/x"), MOUNTS)).isEqualTo("advise");
    assertThat(HugePages.policyOf(Path.of("/mnt/huge/x/y"), MOUNTS)).isEqualTo("always");
    assertThat(HugePages.policyOf(Path.of("/pages"), MOUNTS)).isEqualTo("always");
    assertThat(HugePages.policyOf(Path.of("/home"), MOUNTS)).isEqualTo("never");
  }

  @Test
  void adviceComesTooLateForMemoryThatIsReservedFirst() {
    assertThat(HugePages.isHuge("always")).isTrue();
    assertThat(HugePages.isHuge("within_size")).isTrue();
    assertThat(HugePages.isHuge("advise")).isFalse();
    assertThat(HugePages.isHuge("never")).isFalse();
  }
}
