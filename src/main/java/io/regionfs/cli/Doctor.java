package io.regionfs.cli;

import io.regionfs.daemon.Addresses;
import io.regionfs.daemon.Directories;
import io.regionfs.daemon.Sizes;
import io.regionfs.posix.LibC;
import io.regionfs.verbs.device.MemoryLock;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.InetAddress;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The examination of a machine.
 *
 * @param root what stands for / (tests give their own)
 * @param uid of the user who would mount
 */
record Doctor(Path root, int uid, Map<String, String> environment) {
  private static final long SMALL_MEMORY = 256L << 20;
  private static final long SMALL_MEMLOCK = 64L << 20;
  private static final long SMALL_DISK = 256L << 20;
  private static final int SET_USER_ID = 04000;
  private static final List<String> LIBRARY_DIRECTORIES =
      List.of(
          "lib",
          "usr/lib",
          "usr/local/lib",
          "lib64",
          "usr/lib64",
          "lib/x86_64-linux-gnu",
          "usr/lib/x86_64-linux-gnu",
          "lib/aarch64-linux-gnu",
          "usr/lib/aarch64-linux-gnu");

  /** How bad it is. */
  enum Verdict {
    OK,
    /** Something will not work, or not well. */
    WARN,
    /** Nothing can be mounted. */
    FAIL
  }

  /**
   * One check's outcome.
   *
   * @param advice what to do; empty if nothing is to be done
   */
  record Finding(String check, Verdict verdict, String found, String advice) {}

  static Doctor ofThisMachine() {
    return new Doctor(Path.of("/"), LibC.INSTANCE.getuid(), System.getenv());
  }

  List<Finding> examine() {
    return List.of(
        java(),
        fuseDevice(),
        fuseLibrary(),
        fusermount(),
        sharedMemory(),
        state(),
        rdma(),
        memlock(),
        ports(),
        namespaces());
  }

  private static Finding ok(String check, String found) {
    return new Finding(check, Verdict.OK, found, "");
  }

  private static Finding java() {
    String found =
        System.getProperty("java.vm.name")
            + " "
            + Runtime.version()
            + ", "
            + System.getProperty("java.home");
    return Runtime.version().feature() >= 17
        ? ok("java", found)
        : new Finding("java", Verdict.FAIL, found, "install Java 17: openjdk-17-jre-headless");
  }

  private Finding fuseDevice() {
    Path device = root.resolve("dev/fuse");
    if (!Files.exists(device)) {
      return new Finding(
          "fuse device",
          Verdict.FAIL,
          "/dev/fuse is not there",
          "modprobe fuse; in a container: start it with --device /dev/fuse --cap-add SYS_ADMIN");
    }
    try {
      new RandomAccessFile(device.toFile(), "rw").close();
      return ok("fuse device", "/dev/fuse can be opened");
    } catch (IOException e) {
      return new Finding(
          "fuse device",
          Verdict.FAIL,
          "/dev/fuse cannot be opened: " + e.getMessage(),
          "as root: chmod 666 /dev/fuse; in a container: start it with --device /dev/fuse");
    }
  }

  private Finding fuseLibrary() {
    String library = System.mapLibraryName("fuse") + ".2";
    return LIBRARY_DIRECTORIES.stream()
        .map(directory -> root.resolve(directory).resolve(library))
        .filter(Files::exists)
        .findFirst()
        .map(path -> ok("fuse library", path.toString()))
        .orElseGet(
            () ->
                new Finding(
                    "fuse library",
                    Verdict.FAIL,
                    library + " is in no library directory",
                    "apt-get install libfuse2"));
  }

  private Finding fusermount() {
    Verdict without = uid == 0 ? Verdict.WARN : Verdict.FAIL;
    Optional<Path> program = onPath("fusermount").or(() -> onPath("fusermount3"));
    if (program.isEmpty()) {
      return new Finding(
          "fusermount", without, "not on the PATH", "apt-get install fuse3 (only users need it)");
    }
    try {
      Object mode = Files.getAttribute(program.get(), "unix:mode");
      if ((((Integer) mode) & SET_USER_ID) == 0) {
        return new Finding(
            "fusermount",
            without,
            program.get() + " is not set-user-id: only root can mount",
            "as root: chmod u+s " + program.get());
      }
    } catch (IOException e) {
      return new Finding("fusermount", without, program.get() + ": " + e.getMessage(), "");
    }
    if (!Files.exists(root.resolve("etc/mtab"))) {
      return new Finding(
          "fusermount",
          without,
          "no /etc/mtab: it cannot unmount for a user",
          "as root: ln -s ../proc/self/mounts /etc/mtab");
    }
    return ok("fusermount", program.get().toString());
  }

  private Optional<Path> onPath(String program) {
    return Stream.of(Objects.requireNonNullElse(environment.get("PATH"), "").split(":", -1))
        .filter(directory -> directory.startsWith("/"))
        .map(directory -> root.resolve(directory.substring(1)).resolve(program))
        .filter(Files::isExecutable)
        .findFirst();
  }

  private Finding sharedMemory() {
    Path memory = root.resolve("dev/shm");
    try {
      FileStore store = Files.getFileStore(memory);
      String found =
          Sizes.format(store.getUsableSpace())
              + " free of "
              + Sizes.format(store.getTotalSpace())
              + " in /dev/shm ("
              + store.type()
              + ")";
      return store.getUsableSpace() >= SMALL_MEMORY
          ? ok("memory", found)
          : new Finding(
              "memory",
              Verdict.WARN,
              found + ": little to lend",
              "mount -o remount,size=50% /dev/shm; docker run --shm-size=4g; or --memory-dir on"
                  + " another tmpfs");
    } catch (IOException e) {
      return new Finding(
          "memory",
          Verdict.WARN,
          "/dev/shm: " + Directories.reason(e),
          "mount -t tmpfs tmpfs /dev/shm, or give --memory-dir on another tmpfs");
    }
  }

  /** Where the metadata service of a mount keeps its log. */
  private Finding state() {
    Path state = new Directories(uid, environment).state(Path.of("/x")).getParent();
    Path there = root.resolve(Objects.requireNonNull(state).toString().substring(1));
    while (!Files.exists(there) && there.getParent() != null) {
      there = there.getParent();
    }
    try {
      long free = Files.getFileStore(there).getUsableSpace();
      String found = Sizes.format(free) + " free for state in " + state;
      return free >= SMALL_DISK
          ? ok("state", found)
          : new Finding(
              "state",
              Verdict.WARN,
              found + ": below 64 MiB a metadata service takes no changes",
              "make room, or give --state-dir on another disk");
    } catch (IOException e) {
      return new Finding(
          "state", Verdict.WARN, state + ": " + Directories.reason(e), "give --state-dir");
    }
  }

  private List<String> rdmaDevices() {
    List<String> devices = new ArrayList<>();
    Path directory = root.resolve("sys/class/infiniband");
    if (Files.isDirectory(directory)) {
      try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
        entries.forEach(entry -> devices.add(String.valueOf(entry.getFileName())));
      } catch (IOException e) {
        devices.add("(unreadable: " + Directories.reason(e) + ")");
      }
    }
    return devices;
  }

  private Finding rdma() {
    List<String> devices = rdmaDevices();
    if (devices.isEmpty()) {
      return ok("rdma", "no device: the software fabric will be used (TCP, no set-up needed)");
    }
    boolean library =
        LIBRARY_DIRECTORIES.stream()
            .anyMatch(directory -> Files.exists(root.resolve(directory + "/librdmacm.so.1")));
    return library
        ? ok("rdma", String.join(", ", devices))
        : new Finding(
            "rdma",
            Verdict.WARN,
            String.join(", ", devices) + ", but no librdmacm",
            "apt-get install rdma-core ibverbs-providers librdmacm1");
  }

  private Finding memlock() {
    try {
      MemoryLock lock = MemoryLock.of(root);
      boolean small = lock.lockableBytes() < SMALL_MEMLOCK;
      String found = lock.text();
      if (small && !rdmaDevices().isEmpty()) {
        return new Finding(
            "memlock",
            Verdict.WARN,
            found + ": an RDMA device can hardly register memory",
            MemoryLock.cure());
      }
      return ok("memlock", found + (small ? " (enough without an RDMA device)" : ""));
    } catch (IOException e) {
      return new Finding("memlock", Verdict.WARN, "unknown: " + e.getMessage(), "");
    }
  }

  private static Finding ports() {
    int port = Addresses.DEFAULT_PORT;
    String pair = port + " and " + (port + 1) + " on 127.0.0.1";
    return Addresses.pairIsFree(InetAddress.getLoopbackAddress(), port)
        ? ok("ports", pair + " are free")
        : ok("ports", pair + " are in use: a mount without --listen takes free ones instead");
  }

  private Finding namespaces() {
    Path ip =
        Stream.of("usr/sbin/ip", "sbin/ip", "usr/bin/ip", "bin/ip")
            .map(root::resolve)
            .filter(path -> Files.exists(path, LinkOption.NOFOLLOW_LINKS))
            .findFirst()
            .orElse(null);
    if (ip == null) {
      return new Finding(
          "namespaces",
          Verdict.WARN,
          "no ip program: scripts/cluster cannot make hosts (mounting needs it not)",
          "apt-get install iproute2");
    }
    return uid == 0
        ? ok("namespaces", ip + ", root: scripts/cluster can make hosts")
        : new Finding(
            "namespaces",
            Verdict.WARN,
            "not root: scripts/cluster cannot make hosts (mounting needs it not)",
            "run scripts/cluster as root");
  }
}
