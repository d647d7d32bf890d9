package io.regionfs.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class MountTableTest {
  @Test
  void linesHaveOptionalFieldsAndEscapes() {
    MountTable.Mount mount =
        MountTable.parse(
            "36 35 0:47 / /mnt/my\\040dir rw,nosuid shared:7 master:1 - fuse.regionfs regionfs rw");
    assertThat(mount)
        .isEqualTo(new MountTable.Mount("0:47", Path.of("/mnt/my dir"), "fuse.regionfs"));
    assertThat(mount.isRegionFs()).isTrue();
    assertThat(MountTable.parse("21 1 8:1 / / rw - ext4 /dev/sda1 rw").isRegionFs()).isFalse();
  }

  @Test
  void theRootIsMountedAndNothingIsMountedOnNothing() throws IOException {
    assertThat(MountTable.at(Path.of("/"))).isPresent();
    assertThat(MountTable.at(Path.of("/no/such/directory"))).isEmpty();
  }
}
