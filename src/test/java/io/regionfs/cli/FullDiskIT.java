package io.regionfs.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.regionfs.daemon.Addresses;
import io.regionfs.posix.LibC;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A metadata service on a disk that fills up: a small tmpfs. */
@Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class FullDiskIT {
  private static final int SIGTERM = 15;
  private static final int FIRST_PORT = 17_700;

  private MountFixture mounts = new MountFixture();
  private Path disk = Path.of("");

  FullDiskIT() throws IOException {}

  @BeforeEach
  void makeDisk() throws Exception {
    assumeThat(LibC.INSTANCE.getuid()).as("root, to mount a small disk").isZero();
    disk = mounts.newMountPoint("disk");
    mounts.shell.run("mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", disk).succeeded();
  }

  @AfterEach
  void nothingIsLeft() throws Exception {
    Path lock = disk.resolve("state/lock");
    if (Files.exists(lock)) {
      int pid = Integer.parseInt(Files.readString(lock).strip());
      LibC.INSTANCE.kill(pid, SIGTERM);
      Shell.await("the service ends", () -> !Files.exists(Path.of("/proc/" + pid)));
    }
    mounts.shell.run("umount", disk);
    mounts.close();
  }

  @Test
  void withoutRoomNothingChangesAndStatusSaysSo() throws Exception {
    int port = FIRST_PORT;
    while (!Addresses.pairIsFree(InetAddress.getByName(FabricUnderTest.address()), port)) {
      port += 2;
    }
    String address = FabricUnderTest.address() + ":" + port;
    Path state = disk.resolve("state");
    mounts
        .shell
        .regionfs(
            "meta",
            "--listen",
            address,
            "--state-dir",
            state,
            "--min-free",
            "16M",
            FabricUnderTest.option())
        .succeeded();
    Path mnt = mounts.newMountPoint("a");
    mounts.mount(mnt, "--meta", address).succeeded();
    Files.createDirectory(mnt.resolve("before"));
    Path filler = disk.resolve("filler");
    mounts.shell.run("sh", "-c", "head -c 200M /dev/zero >" + filler);
    Shell.await("no change is taken", () -> !tryToMake(mnt.resolve("during")));
    assertThatThrownBy(() -> Files.createDirectory(mnt.resolve("other")))
        .hasMessageContaining("No space left");
    assertThat(mnt.resolve("before")).isDirectory();
    assertThat(mounts.shell.regionfs("status", mnt).succeeded().out()).contains("TROUBLE");
    Object trouble = StatusText.map(mounts.status(mnt), "metadata").get("trouble");
    assertThat(trouble).asString().contains("replica 1").isNotEqualTo("");
    Files.delete(filler);
    Shell.await("it goes on by itself", () -> tryToMake(mnt.resolve("after")));
    assertThat(mounts.shell.regionfs("status", mnt).succeeded().out()).doesNotContain("TROUBLE");
    mounts.shell.regionfs("umount", mnt).succeeded();
  }

  /** Makes the directory and removes it again. */
  private static boolean tryToMake(Path made) {
    try {
      if (!Files.exists(made)) {
        Files.createDirectory(made);
      }
      Files.delete(made);
      return true;
    } catch (IOException e) {
      assertThat(e).hasMessageContaining("No space left");
      return false;
    }
  }
}
