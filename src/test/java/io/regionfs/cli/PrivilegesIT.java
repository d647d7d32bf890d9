package io.regionfs.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Set-id bits and capabilities go when a file is changed, as root and as a user, at its home and
 * from another host, passed through and not; tmpfs is what it is compared with.
 */
@Timeout(value = 10, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class PrivilegesIT extends SharedCluster {
  private static final String NOBODY = "setpriv --reuid 65534 --regid 65534 --clear-groups ";

  /** Ways to change a file f that anybody may write. */
  private static final List<String> CHANGES =
      List.of(
          "sh -c \"echo x >>f\"",
          "dd if=/dev/zero of=f bs=10 count=1 conv=notrunc status=none",
          "truncate -s 100 f",
          "truncate -s 1M f",
          "sh -c \": >f\"",
          "fallocate -l 5000 f",
          "fallocate -p -l 4096 f",
          "chmod 6751 f",
          "touch f",
          "cat f");

  @BeforeAll
  void prepare() throws Exception {
    assumeThat(bash("/", "command -v setcap && command -v getcap").exit())
        .as("the package libcap2-bin is there")
        .isZero();
    // The directories above the mounts are root's; users must pass.
    for (Path one :
        List.of(
            cluster.directory.getParent(),
            cluster.directory,
            cluster.mnt(1).resolve(".."),
            cluster.mnt(2).resolve(".."))) {
      cluster.shell.run("chmod", "755", one).succeeded();
    }
    cluster.shell.run("chmod", "777", cluster.mnt(1)).succeeded();
  }

  private Shell.Result bash(Object directory, String command) throws Exception {
    return cluster.shell.run("bash", "-c", "cd " + directory + " && { " + command + "; }");
  }

  private String on(int host, String command) throws Exception {
    return bash(cluster.mnt(host), command).succeeded().out().strip();
  }

  /** What is left of a file's set-id bits, then of its capability. */
  private String left(Object changing, Object looking, String change) throws Exception {
    bash(changing, "chmod 6777 f; stat f >/dev/null; " + change).succeeded();
    String bits = bash(looking, "stat -c %a f").succeeded().out().strip();
    bash(changing, "chmod 777 f; setcap cap_net_raw+ep f; getcap f | grep -q raw; " + change)
        .succeeded();
    return bits + bash(looking, "getcap f | sed 's/.* / /'").succeeded().out().stripTrailing();
  }

  @Test
  void whatIsLeftIsWhatTmpfsLeaves() throws Exception {
    String tmpfs = bash("/", "mktemp -d /dev/shm/regionfs-privileges.XXXXXX").out().strip();
    try {
      bash(tmpfs, "chmod 755 . && head -c 20000 /dev/urandom >f").succeeded();
      for (int home = 1; home <= 2; home++) {
        on(home, "rm -f f; head -c 20000 /dev/urandom >f");
        for (String user : List.of("", NOBODY)) {
          for (String change : CHANGES) {
            boolean forOwner = change.startsWith("chmod") && !user.isEmpty();
            String expected = forOwner ? "" : left(tmpfs, tmpfs, user + change);
            for (int host = 1; !forOwner && host <= 2; host++) {
              assertThat(left(cluster.mnt(host), cluster.mnt(3 - host), user + change))
                  .as("home %d, host %d: %s%s", home, host, user, change)
                  .isEqualTo(expected);
            }
          }
          String expected = left(tmpfs, tmpfs, "chown 5:6 f; chown 0:0 f");
          assertThat(expected).isEqualTo("777");
          assertThat(left(cluster.mnt(home), cluster.mnt(1), "chown 5:6 f; chown 0:0 f"))
              .isEqualTo(expected);
        }
      }
    } finally {
      bash("/", "rm -r " + tmpfs).succeeded();
    }
  }

  /** The kernel has noted that it has nothing to take, and nobody looks at the file there. */
  @Test
  void whatAnotherHostGivesGoesFromAFileThatIsPassedThrough() throws Exception {
    String g = cluster.mnt(2) + "/p";
    on(1, "echo text >p; chmod 777 p");
    String writes =
        "for i in {1..200}; do setpriv --reuid 65534 --regid 65534 --clear-groups sh -c 'echo x >&5';"
            + (" [ $(stat -c %a " + g + ") = 777 ] && exit 0; sleep 0.05; done; exit 1");
    on(1, "exec 5>>p; echo x >&5; chmod 4777 " + g + "; " + writes);
    on(
        1,
        "exec 5>>p; echo x >&5; setcap cap_net_raw+ep "
            + g
            + "; for i in {1..200}; do echo x >&5;"
            + (" [ -z \"$(getcap " + g + ")\" ] && exit 0; sleep 0.05; done; exit 1"));
  }

  /** An answer that a write overtakes tells the kernel nothing: here there is one all the time. */
  @Test
  void whatAnotherHostGivesGoesFromAFileThatIsAlwaysBeingWritten() throws Exception {
    String g = cluster.mnt(2) + "/busy";
    on(1, "echo text >busy; chmod 777 busy");
    String gone =
        "for i in {1..100}; do [ $(stat -c %a " + g + ") = 777 ] && break; sleep 0.1; done";
    String bits =
        on(
            1,
            ("exec 5<>busy; echo x >&5; " + NOBODY + "sh -c 'while echo x >&5; do :; done' & ")
                + ("writer=$!; sleep 0.5; chmod 4777 " + g + "; " + gone)
                + ("; kill $writer; wait $writer; stat -c %a " + g));
    assertThat(bits).isEqualTo("777");
  }

  /** Given by this host or the other, while a user has the file open and has written it. */
  @Test
  void whatIsGivenWhileItIsBeingWrittenGoesWithTheNextWrite() throws Exception {
    for (int home = 1; home <= 2; home++) {
      for (int giver = 1; giver <= 2; giver++) {
        // Not at home: see above.
        int writer = 3 - home;
        String g = cluster.mnt(giver) + "/g";
        on(home, "rm -f g; echo text >g; chmod 777 g");
        String write = NOBODY + "sh -c 'echo x >&5'";
        on(writer, "exec 5>>g; " + write + "; chmod 4777 " + g + "; " + write);
        assertThat(on(home, "stat -c %a g")).isEqualTo("777");
        on(
            writer,
            "exec 5>>g; " + write + "; setcap cap_net_raw+ep " + g + "; echo x >&5; chmod u+s g");
        assertThat(on(home, "getcap g")).isEmpty();
        on(writer, "exec 5>>g; echo x >&5; echo x >&5");
        assertThat(on(home, "stat -c %a g")).as("root keeps it").isEqualTo("4777");
      }
    }
  }
}
