package io.regionfs.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.posix.MountTable;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DirectoriesTest {
  @Test
  void differentPathsHaveDifferentNames() {
    List<String> names =
        List.of("/mnt/a-b", "/mnt/a/b", "/mnt/a b", "/mnt/%61", "/", "/mnt/ä", "/mnt/a%2db")
            .stream()
            .map(path -> Directories.nameOf(Path.of(path)))
            .toList();
    assertThat(names).doesNotHaveDuplicates().allMatch(name -> name.matches("[A-Za-z0-9_.%-]+"));
    assertThat(Directories.nameOf(Path.of("/mnt/region"))).isEqualTo("mnt-region");
  }

  @Test
  void longPathsHaveShortNames() {
    Path one = Path.of("/" + "x".repeat(200) + "/a");
    Path other = Path.of("/" + "x".repeat(200) + "/b");
    assertThat(Directories.nameOf(one)).hasSizeLessThanOrEqualTo(120);
    assertThat(Directories.nameOf(one)).isNotEqualTo(Directories.nameOf(other));
  }

  @Test
  void followsTheCustomsOfTheSystem() {
    Path mountPoint = Path.of("/mnt/region");
    Directories root = new Directories(0, Map.of());
    assertThat(root.state(mountPoint)).isEqualTo(Path.of("/var/lib/regionfs/mnt-region"));
    assertThat(root.runtime()).isEqualTo(Path.of("/run/regionfs"));
    Directories user = new Directories(1000, Map.of("HOME", "/home/u"));
    assertThat(user.state(mountPoint))
        .isEqualTo(Path.of("/home/u/.local/state/regionfs/mnt-region"));
    assertThat(user.runtime()).isEqualTo(Path.of("/tmp/regionfs-1000"));
    assertThat(user.memory(user.state(mountPoint)))
        .isEqualTo(Path.of("/dev/shm/regionfs-1000-home-u-.local-state-regionfs-mnt%2dregion"));
    Directories told =
        new Directories(1000, Map.of("XDG_STATE_HOME", "/s", "REGIONFS_RUNTIME_DIR", "/r"));
    assertThat(told.state(mountPoint)).isEqualTo(Path.of("/s/regionfs/mnt-region"));
    assertThat(told.runtime()).isEqualTo(Path.of("/r"));
  }

  @Test
  void readsTheMountTable() {
    MountTable table =
        MountTable.parse(
            """
            22 27 0:21 / /proc rw,relatime - proc proc rw
            90 27 0:50 / /mnt/a\\040b rw,nosuid shared:1 - fuse.regionfs regionfs rw,user_id=0
            91 27 0:51 / /mnt/c rw - tmpfs none rw
            92 91 0:52 / /mnt/c rw - fuse.regionfs regionfs rw
            93 91 0:52 / /mnt/d rw - fuse.regionfs regionfs rw
            94 91 0:53 / /mnt/d rw - tmpfs none rw
            nonsense
            """);
    assertThat(table.isRegionFs(Path.of("/mnt/a b"))).isTrue();
    assertThat(table.isRegionFs(Path.of("/mnt/c"))).isTrue();
    assertThat(table.isRegionFs(Path.of("/mnt/d"))).isFalse();
    assertThat(table.isRegionFs(Path.of("/proc"))).isFalse();
    assertThat(table.contains(Path.of("/proc"))).isTrue();
  }
}
