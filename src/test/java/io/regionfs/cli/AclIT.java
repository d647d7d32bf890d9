package io.regionfs.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** POSIX ACLs by the tools that people use, between two hosts, as a user and not only as root. */
@Timeout(value = 10, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class AclIT extends SharedCluster {
  private static final int ROUNDS = 10;

  @BeforeAll
  void prepare() throws Exception {
    assumeThat(says(1, "command -v setfacl")).as("the package acl is there").isNotEmpty();
    // The directories above the mounts are root's; users must pass.
    on(1, "chmod 755 .");
    for (Path one : List.of(cluster.directory.getParent(), cluster.directory)) {
      cluster.shell.run("chmod", "755", one).succeeded();
    }
    for (int host = 1; host <= 2; host++) {
      cluster.shell.run("chmod", "755", cluster.mnt(host).resolve("..")).succeeded();
    }
  }

  private Shell.Result bash(int host, String command) throws Exception {
    return cluster.shell.run("bash", "-c", "cd " + cluster.mnt(host) + " && { " + command + "; }");
  }

  /** What a command in a host's mount says; it must succeed. */
  private String on(int host, String command) throws Exception {
    return bash(host, command).succeeded().out().strip();
  }

  private String says(int host, String command) throws Exception {
    return bash(host, command).out().strip();
  }

  /** "yes" if this user can do it. */
  private String can(int host, int user, String command) throws Exception {
    String asUser = "setpriv --reuid " + user + " --regid " + user + " --clear-groups ";
    return says(host, asUser + "sh -c '" + command + "' >/dev/null 2>&1 && echo yes || echo no");
  }

  private static String lines(String... lines) {
    return String.join("\n", lines);
  }

  @Test
  void listsAreKeptAndEnforced() throws Exception {
    on(1, "mkdir a; echo text >a/f; chmod 600 a/f");
    assertThat(can(1, 1234, "cat a/f")).isEqualTo("no");
    on(1, "setfacl -m u:1234:r,g:77:rw a/f");
    String list = "user::rw-\nuser:1234:r--\ngroup::---\ngroup:77:rw-\nmask::rw-\nother::---";
    for (int host = 1; host <= 2; host++) {
      assertThat(on(host, "getfacl -ncE a/f")).isEqualTo(list);
      assertThat(on(host, "stat -c %a a/f; ls -l a/f | cut -c1-11"))
          .isEqualTo(lines("660", "-rw-rw----+"));
      assertThat(can(host, 1234, "cat a/f")).isEqualTo("yes");
      assertThat(can(host, 1234, "echo >>a/f")).isEqualTo("no");
      assertThat(can(host, 1235, "cat a/f")).isEqualTo("no");
      assertThat(can(host, 77, "echo >>a/f")).as("by its group").isEqualTo("yes");
    }
    on(2, "setfacl -b a/f");
    assertThat(on(1, "getfacl -ncE a/f")).isEqualTo("user::rw-\ngroup::---\nother::---");
    assertThat(can(1, 1234, "cat a/f")).isEqualTo("no");
  }

  @Test
  void chmodChangesTheMask() throws Exception {
    on(1, "touch m; chmod 600 m; setfacl -m u:1234:rwx m; chmod 640 m");
    assertThat(on(2, "getfacl -ncE m")).contains("user:1234:rwx", "mask::r--");
    assertThat(can(2, 1234, "cat m")).isEqualTo("yes");
    assertThat(can(2, 1234, "echo >>m")).isEqualTo("no");
    on(2, "chmod 660 m");
    assertThat(can(1, 1234, "echo >>m")).isEqualTo("yes");
    assertThat(on(1, "getfacl -ncE m")).contains("user:1234:rwx", "mask::rw-");
  }

  @Test
  void whatIsMadeInherits() throws Exception {
    on(1, "mkdir d; chmod 700 d; setfacl -d -m u::rwx,u:1234:rwx,g::rx,o::- d");
    on(2, "umask 077; mkdir d/sub; touch d/f; echo >d/sub/g; ln -s f d/s; mknod d/n p || true");
    assertThat(on(1, "getfacl -ncE d/sub"))
        .isEqualTo(
            lines(
                "user::rwx",
                "user:1234:rwx",
                "group::r-x",
                "mask::rwx",
                "other::---",
                "default:user::rwx",
                "default:user:1234:rwx",
                "default:group::r-x",
                "default:mask::rwx",
                "default:other::---"));
    assertThat(on(1, "getfacl -ncE d/f d/sub/g"))
        .isEqualTo(
            lines(
                "user::rw-",
                "user:1234:rwx",
                "group::r-x",
                "mask::rw-",
                "other::---",
                "",
                "user::rw-",
                "user:1234:rwx",
                "group::r-x",
                "mask::rw-",
                "other::---"));
    on(1, "setfacl -k d; umask 027; touch d/plain; mkdir d/p");
    assertThat(on(2, "stat -c %a d/plain d/p; getfacl -ncE d/p"))
        .isEqualTo("640\n750\nuser::rwx\ngroup::r-x\nother::---");
  }

  @Test
  void setGroupIdGoesWhenAnotherGroupsMemberSetsAList() throws Exception {
    on(1, "touch s; chown 1234:77 s; chmod 2755 s");
    on(1, "setpriv --reuid 1234 --regid 1234 --clear-groups setfacl -m u:5:r s");
    assertThat(on(2, "stat -c %a s")).isEqualTo("755");
    on(1, "chmod 2755 s; setfacl -m u:6:r s");
    assertThat(on(2, "stat -c %a s")).isEqualTo("2755");
  }

  @Test
  void wrongListsAreRefused() throws Exception {
    on(1, "touch w");
    assertThat(bash(1, "setfacl -d -m u:1:r w").exit()).isNotZero();
    assertThat(bash(1, "setfattr -n system.posix_acl_access -v 0x0200000001000600ffffffff w").err())
        .contains("Invalid argument");
    assertThat(can(1, 1234, "setfacl -m u:1234:rwx w")).isEqualTo("no");
    assertThat(on(1, "getfacl -ncE w")).doesNotContain("1234");
  }

  /** A user of host 2 asks all the time, so that its kernel has what can be kept. */
  @Test
  void aChangeIsSeenByTheOtherHostAtOnce() throws Exception {
    on(1, "mkdir -p see/d; echo text >see/d/f; chmod 600 see/d/f; chmod 700 see/d");
    for (int round = 0; round < ROUNDS; round++) {
      for (int i = 0; i < 3; i++) {
        assertThat(can(2, 1234, "cat see/d/f")).isEqualTo("no");
      }
      on(1, "setfacl -m u:1234:x see/d; setfacl -m u:1234:r see/d/f");
      for (int i = 0; i < 3; i++) {
        assertThat(can(2, 1234, "cat see/d/f")).isEqualTo("yes");
      }
      assertThat(on(2, "getfacl -ncE see/d/f")).contains("user:1234:r--");
      switch (round % 4) {
        case 0 -> on(1, "setfacl -b see/d/f; chmod 600 see/d/f");
        case 1 -> on(1, "chmod 600 see/d/f");
        case 2 -> on(1, "setfacl -x u:1234 see/d");
        default -> on(1, "setfacl -m u:1234:- see/d/f");
      }
      assertThat(can(2, 1234, "cat see/d/f")).as("round %d", round).isEqualTo("no");
    }
  }

  /** Nothing but the list is asked for: no stat, no check of permissions, no name. */
  @Test
  void aProgramThatOnlyReadsTheListSeesAChange() throws Exception {
    on(1, "touch only; setfacl -m u:1:r only");
    String program =
        """
        import os, subprocess, sys
        fd = os.open('only', os.O_RDONLY)
        def read(): return os.getxattr(fd, 'system.posix_acl_access')
        os.stat('only')
        before = read(), read()
        subprocess.run(['setfacl', '-m', 'u:2:r', sys.argv[1] + '/only'], check=True)
        print(len(before[0]), len(before[1]), len(read()))
        """;
    cluster.shell.run("sh", "-c", "printf %s \"$1\" >" + cluster.mnt(1) + "/p", "-", program);
    assertThat(on(2, "python3 p " + cluster.mnt(1))).isEqualTo("44 44 52");
  }

  @Test
  void copiesKeepLists() throws Exception {
    on(1, "mkdir -p c/in/sub; touch c/in/sub/f; setfacl -m u:1234:rw c/in/sub/f");
    on(1, "setfacl -m u:7:rx c/in/sub; setfacl -d -m g:8:rx c/in/sub");
    String list = on(1, "cd c/in; getfacl -nER sub");
    assertThat(list).contains("user:1234:rw-", "user:7:r-x", "default:group:8:r-x");
    on(2, "cp -a c/in c/copied");
    assertThat(on(1, "cd c/copied; getfacl -nER sub")).isEqualTo(list);
    on(2, "mkdir c/untarred; tar -C c/in --acls -cf - sub | tar -C c/untarred --acls -xpf -");
    assertThat(on(1, "cd c/untarred; getfacl -nER sub")).isEqualTo(list);
    on(2, "cd c/in; getfacl -nER sub >../lists; cd ..; mkdir r; cp -r in/sub r/sub");
    on(1, "cd c/r; setfacl --restore=../lists");
    assertThat(on(2, "cd c/r; getfacl -nER sub")).isEqualTo(list);
    if (!says(1, "command -v rsync").isEmpty()) {
      on(1, "rsync -aA c/in/ c/synced/");
      assertThat(on(2, "cd c/synced; getfacl -nER sub")).isEqualTo(list);
    }
  }
}
