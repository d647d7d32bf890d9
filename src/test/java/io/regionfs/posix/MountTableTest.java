package io.regionfs.posix;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class MountTableTest {
  @Test
  void linesHaveOptionalFieldsAndEscapes() {
    MountTable.Mount mount =
        MountTable.Mount.parse(
                "36 35 0:47 / /mnt/my\\040dir rw,nosuid shared:7 master:1 - fuse.regionfs regionfs rw")
            .orElseThrow();
    assertThat(mount)
        .isEqualTo(new MountTable.Mount("0:47", Path.of("/mnt/my dir"), "fuse.regionfs", "rw"));
    assertThat(mount.isRegionFs()).isTrue();
    assertThat(
            MountTable.Mount.parse("21 1 8:1 / / rw - ext4 /dev/sda1 rw")
                .orElseThrow()
                .isRegionFs())
        .isFalse();
  }

  @Test
  void theRootIsMountedAndNothingIsMountedOnNothing() {
    assertThat(MountTable.now().at(Path.of("/"))).isPresent();
    assertThat(MountTable.now().at(Path.of("/no/such/directory"))).isEmpty();
  }
}
