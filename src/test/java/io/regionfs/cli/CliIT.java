package io.regionfs.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.regionfs.daemon.Addresses;
import io.regionfs.daemon.Json;
import io.regionfs.daemon.LentDirectory;
import io.regionfs.daemon.RunningMounts;
import io.regionfs.posix.LibC;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The commands against real mounts, as a user types them. */
class CliIT {
  private static final int SIGTERM = 15;

  private MountFixture mounts = new MountFixture();

  CliIT() throws IOException {}

  @BeforeEach
  void pathIsThere() {
    assertThat(Shell.REGIONFS).isExecutable();
  }

  @AfterEach
  void nothingIsLeft() throws Exception {
    mounts.close();
  }

  @Test
  void aMountIsUsableWhenTheCommandReturnsAndGoneAfterUmount() throws Exception {
    Path mnt = mounts.newMountPoint("a");
    Shell.Result mounted = mounts.mount(mnt).succeeded();
    assertThat(mounted.err()).isEmpty();
    assertThat(Files.getAttribute(mnt, "unix:uid")).isEqualTo(LibC.INSTANCE.getuid());
    assertThat(Files.getLastModifiedTime(mnt)).isGreaterThan(FileTime.fromMillis(0));
    Files.writeString(mnt.resolve("hello"), "bytes of this host");
    assertThat(mnt.resolve("hello")).hasContent("bytes of this host");
    RunningMounts.Entry node = mounts.node(mnt);
    assertThat(node.isRunning()).isTrue();
    assertThat(mounts.stateOf(mnt).resolve(Background.LOG_FILE)).isNotEmptyFile();
    mounts.discard(mnt).succeeded();
    mounts.assertGone(node);
    assertThat(mnt).isEmptyDirectory();
  }

  @Test
  void statusAndRegionSayWhatThereIs() throws Exception {
    Path mnt = mounts.newMountPoint("a");
    mounts.mount(mnt).succeeded();
    Files.write(mnt.resolve("file"), new byte[12345]);
    Map<?, ?> status = mounts.status(mnt);
    assertThat(status.keySet().stream().map(Object::toString))
        .contains("node", "nodes", "capacity", "fabric", "metadata", "homeCalls");
    assertThat(StatusText.map(status, "fabric").get("description"))
        .asString()
        .startsWith(FabricUnderTest.name());
    assertThat(StatusText.map(status, "capacity").get("ownBytes")).isEqualTo(256L << 20);
    assertThat(mounts.shell.regionfs("status").succeeded().out()).contains("fabric", "lent here");
    Map<?, ?> region =
        Json.parseObject(
            mounts.shell.regionfs("region", "--json", mnt.resolve("file")).succeeded().out());
    assertThat(region.get("size")).isEqualTo(12345L);
    assertThat(StatusText.map(region, "home").get("name")).isEqualTo("a");
    Shell.Result wrong = mounts.shell.regionfs("region", mnt);
    assertThat(wrong.exit()).isEqualTo(1);
    assertThat(wrong.err().lines()).hasSize(1);
    mounts.discard(mnt).succeeded();
  }

  @Test
  void aSecondMountOnTheSameStateDirectoryIsRefused() throws Exception {
    Path mnt = mounts.newMountPoint("a");
    Path other = mounts.newMountPoint("b");
    mounts.mount(mnt).succeeded();
    long pid = mounts.node(mnt).pid();
    Shell.Result refused =
        mounts.shell.regionfs("mount", other, "--state-dir", mounts.stateOf(mnt));
    assertThat(refused.exit()).isEqualTo(1);
    assertThat(refused.err().lines()).hasSize(1);
    assertThat(refused.err()).contains("in use by process " + pid);
    mounts.shell.regionfs("umount", mnt).succeeded();
  }

  @Test
  void aKilledNodeIsReplacedByTheNextMount() throws Exception {
    Path mnt = mounts.newMountPoint("a");
    mounts.mount(mnt).succeeded();
    Files.writeString(mnt.resolve("x"), "x");
    MountFixture.kill(mounts.node(mnt));
    mounts.mount(mnt).succeeded();
    assertThat(mnt.resolve("x")).hasContent("x");
    Files.writeString(mnt.resolve("y"), "y");
    assertThat(mnt.resolve("y")).hasContent("y");
    RunningMounts.Entry node = mounts.node(mnt);
    mounts.discard(mnt).succeeded();
    mounts.assertGone(node);
  }

  @Test
  void umountCleansUpAfterAKilledNode() throws Exception {
    Path mnt = mounts.newMountPoint("a");
    mounts.mount(mnt).succeeded();
    Files.writeString(mnt.resolve("x"), "x");
    RunningMounts.Entry node = mounts.node(mnt);
    assertThat(node.memoryDirectory()).exists();
    MountFixture.kill(node);
    assertThat(mounts.shell.regionfs("status", mnt).err()).contains("was killed");
    Shell.Result unmounted = mounts.shell.regionfs("umount", mnt).succeeded();
    assertThat(unmounted.out()).contains("kept", node.memoryDirectory().toString(), "--discard");
    assertThat(node.memoryDirectory()).exists();
    mounts
        .shell
        .regionfs("umount", "--discard", mnt, "--state-dir", node.stateDirectory())
        .succeeded();
    mounts.assertGone(node);
  }

  @Test
  void sigtermEndsAForegroundNodeCleanly() throws Exception {
    Path mnt = mounts.newMountPoint("a");
    Object[] command = mounts.mountCommand(mnt, "-f");
    Object[] words = new Object[command.length + 1];
    words[0] = Shell.REGIONFS;
    System.arraycopy(command, 0, words, 1, command.length);
    Process process = mounts.shell.start(words);
    try {
      Shell.await("mounted", () -> mounts.running.at(mnt).isPresent() || !process.isAlive());
      assertThat(process.isAlive()).isTrue();
      Files.writeString(mnt.resolve("x"), "x");
      Files.delete(mnt.resolve("x"));
      RunningMounts.Entry node = mounts.node(mnt);
      LibC.INSTANCE.kill(Math.toIntExact(process.pid()), SIGTERM);
      assertThat(process.waitFor(Shell.PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).isZero();
      mounts.assertGone(node);
    } finally {
      process.destroyForcibly();
    }
  }

  @Test
  void fusermountEndsTheNodeToo() throws Exception {
    Path mnt = mounts.newMountPoint("a");
    mounts.mount(mnt).succeeded();
    RunningMounts.Entry node = mounts.node(mnt);
    mounts.shell.run("fusermount", "-u", mnt).succeeded();
    Shell.await("the node ends", () -> !node.isRunning());
    mounts.assertGone(node);
  }

  @Test
  void aMountInUseIsNotTakenAway() throws Exception {
    Path mnt = mounts.newMountPoint("a");
    mounts.mount(mnt).succeeded();
    RunningMounts.Entry node = mounts.node(mnt);
    Files.writeString(mnt.resolve("x"), "still there");
    try (InputStream in = Files.newInputStream(mnt.resolve("x"))) {
      Shell.Result busy = mounts.shell.regionfs("umount", mnt);
      assertThat(busy.exit()).isEqualTo(1);
      assertThat(busy.err())
          .contains("is in use by process " + ProcessHandle.current().pid(), "--lazy");
      assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8)).isEqualTo("still there");
      mounts.shell.regionfs("umount", "--lazy", mnt).succeeded();
      assertThat(mnt.resolve("x")).doesNotExist();
    }
    Shell.await("the node ends", () -> !node.isRunning());
    mounts
        .shell
        .regionfs("umount", "--discard", mnt, "--state-dir", node.stateDirectory())
        .succeeded();
    mounts.assertGone(node);
  }

  @Test
  void filesAreThereAgainWithTheNextMount() throws Exception {
    Path mnt = mounts.newMountPoint("a");
    mounts.mount(mnt).succeeded();
    byte[] data = new byte[3 << 20];
    new Random(11).nextBytes(data);
    Files.createDirectories(mnt.resolve("d"));
    Files.write(mnt.resolve("d/file"), data);
    RunningMounts.Entry node = mounts.node(mnt);
    Shell.Result kept = mounts.shell.regionfs("umount", mnt).succeeded();
    assertThat(kept.out()).contains("kept 2 files, 3.0 MiB", "--discard", "--state-dir");
    assertThat(node.isRunning()).isFalse();
    assertThat(mounts.mount(mnt).succeeded().err()).isEmpty();
    assertThat(mnt.resolve("d/file")).hasBinaryContent(data);
    MountFixture.kill(mounts.node(mnt));
    mounts.mount(mnt).succeeded();
    assertThat(mnt.resolve("d/file")).hasBinaryContent(data);
    mounts.discard(mnt).succeeded();
    mounts.assertGone(node);
    mounts.mount(mnt).succeeded();
    assertThat(mnt).isEmptyDirectory();
    mounts.shell.regionfs("umount", mnt).succeeded();
    mounts.assertGone(node);
  }

  @Test
  void namesWithoutMemoryReadAsErrorsAndCanBeRemoved() throws Exception {
    Path mnt = mounts.newMountPoint("a");
    mounts.mount(mnt).succeeded();
    Files.writeString(mnt.resolve("file"), "lost with the host");
    RunningMounts.Entry node = mounts.node(mnt);
    mounts.shell.regionfs("umount", mnt).succeeded();
    LentDirectory.remove(node.memoryDirectory());
    assertThat(mounts.mount(mnt).succeeded().err()).contains("memory", "gone", "EIO");
    assertThat(mounts.shell.regionfs("status", mnt).succeeded().out()).contains("TROUBLE");
    assertThatThrownBy(() -> Files.readString(mnt.resolve("file")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("Input/output error");
    Files.delete(mnt.resolve("file"));
    mounts.shell.regionfs("umount", mnt).succeeded();
    mounts.assertGone(node);
  }

  @Test
  void whatCannotBeMountedIsSaidInOneLine() throws Exception {
    Path file = Files.writeString(mounts.directory.resolve("file"), "x");
    Path mnt = mounts.newMountPoint("a");
    Object[][] wrong = {
      {1, "does not exist", mounts.directory.resolve("missing"), "--memory=64M"},
      {1, "not a directory", file, "--memory=64M"},
      {1, "127.0.0.1:1", mnt, "--meta=127.0.0.1:1"},
      {1, "no RDMA device", mnt, "--rdma-device=missing"},
      {1, "192.0.2.1", mnt, "--listen=192.0.2.1:7470"},
      {2, "64Q", mnt, "--memory=64Q"},
      {2, "--huge-pages", mnt, "--huge-pages=sometimes"},
      {2, "big_writes", mnt, "-obig_writes"},
      {2, "0.0.0.0", mnt, "--listen=nowhere:7470:x"},
    };
    for (Object[] one : wrong) {
      Shell.Result result =
          mounts.shell.regionfs(
              "mount", one[2], one[3], "--state-dir", mounts.directory.resolve("s"));
      assertThat(result.exit()).as("%s", result).isEqualTo(one[0]);
      if (!one[1].equals("0.0.0.0")) {
        assertThat(result.err()).contains((String) one[1]);
      }
      assertThat(result.err().lines()).as("%s", result).hasSize(1);
    }
  }

  @Test
  void hugePagesAreRefusedWhereThereAreNone() throws Exception {
    Path mnt = mounts.newMountPoint("a");
    Shell.Result refused = mounts.mount(mnt, "--huge-pages=always", "-onopassthrough");
    assertThat(refused.exit()).isEqualTo(1);
    assertThat(refused.err()).contains("has no huge pages").hasLineCount(1);
    mounts.mount(mnt, "--huge-pages=never").succeeded();
    assertThat(StatusText.map(mounts.status(mnt), "fabric").get("hugePages")).isEqualTo("never");
    mounts.discard(mnt).succeeded();
  }

  @Test
  void doctorFindsThisMachineUsable() throws Exception {
    Shell.Result doctor = mounts.shell.regionfs("doctor", "--json").succeeded();
    assertThat(Json.parseObject(doctor.out().strip())).containsEntry("usable", true);
  }

  @Test
  void nonsenseOnTheListeningPortsHarmsNobody() throws Exception {
    FabricUnderTest.assumePortsOfTheProcess();
    Path mnt = mounts.newMountPoint("a");
    mounts.mount(mnt).succeeded();
    Map<?, ?> node = StatusText.map(mounts.status(mnt), "node");
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    for (String key : new String[] {"rpcAddress", "dataAddress"}) {
      InetSocketAddress address = Addresses.service(String.valueOf(node.get(key)));
      for (int i = 0; i < 20; i++) {
        send(address, random);
      }
    }
    Files.writeString(mnt.resolve("x"), "alive");
    assertThat(mnt.resolve("x")).hasContent("alive");
    mounts.discard(mnt).succeeded();
  }

  private static void send(InetSocketAddress address, Random random) throws IOException {
    byte[] bytes = new byte[1 + random.nextInt(5000)];
    random.nextBytes(bytes);
    try (Socket socket = new Socket()) {
      socket.connect(address, (int) Duration.ofSeconds(20).toMillis());
      try {
        OutputStream out = socket.getOutputStream();
        out.write(bytes);
        out.flush();
      } catch (IOException e) {
        assertThat(e).as("the peer may hang up on nonsense").isNotNull();
      }
    }
  }
}
