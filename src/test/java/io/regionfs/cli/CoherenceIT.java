package io.regionfs.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Two hosts, of which each keeps what it has seen: a change that is complete is seen at once. */
@Timeout(value = 10, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class CoherenceIT extends SharedCluster {
  private static final int ROUNDS = 5;

  /** What a command in a directory of a host's mount says; it may fail. */
  private String on(int host, String directory, String command) throws Exception {
    Path where = cluster.mnt(host).resolve(directory);
    return cluster
        .shell
        .run("bash", "-c", "cd " + where + " && " + command + " 2>&1")
        .out()
        .strip();
  }

  /** Looks at everything twice, so that host 2 has it in all its caches. */
  private void look(String directory) throws Exception {
    for (int i = 0; i < 2; i++) {
      on(2, directory, "ls -lR . >/dev/null; cat */f >/dev/null; stat d1/no d2/f d5/f d7/no");
    }
  }

  @Test
  void everyKindOfChangeIsSeenAtOnce() throws Exception {
    for (int round = 0; round < ROUNDS; round++) {
      String top = "round" + round;
      on(1, ".", "mkdir " + top);
      on(1, top, "for i in 1 2 3 4 5 6 7 8 9; do mkdir d$i; echo $i >d$i/f; chmod 600 d$i/f; done");
      look(top);
      on(1, top, "touch d1/no");
      assertThat(on(2, top, "stat -c %n d1/no; ls d1")).isEqualTo("d1/no\nf\nno");
      on(1, top, "rm d2/f");
      assertThat(on(2, top, "stat d2/f")).contains("No such file");
      assertThat(on(2, top, "ls d2")).isEmpty();
      on(1, top, "chmod 640 d3/f; chown 12:34 d3/f");
      assertThat(on(2, top, "stat -c '%a %u:%g' d3/f")).isEqualTo("640 12:34");
      on(1, top, "mv d4/f d4/no");
      assertThat(on(2, top, "cat d4/no; test -e d4/f || echo gone")).isEqualTo("4\ngone");
      on(1, top, "rm d5/f; rmdir d5; mkdir -m 700 d5; echo new >d5/g");
      assertThat(on(2, top, "stat -c %a d5; ls d5; cat d5/g; test -e d5/f || echo gone"))
          .isEqualTo("700\ng\nnew\ngone");
      on(1, top, "echo more >>d6/f");
      assertThat(on(2, top, "stat -c %s d6/f; cat d6/f")).isEqualTo("7\n6\nmore");
      on(1, top, "ln d7/f d7/no");
      assertThat(on(2, top, "stat -c %h d7/f d7/no")).isEqualTo("2\n2");
      on(1, top, "setfattr -n user.colour -v red d8/f");
      assertThat(on(2, top, "getfattr --only-values -n user.colour d8/f")).isEqualTo("red");
      on(1, top, "truncate -s 100 d9/f; touch -d @1000 d9/f; touch -d @2000 d9");
      assertThat(on(2, top, "stat -c '%s %Y' d9/f; stat -c %Y d9")).isEqualTo("100 1000\n2000");
    }
  }

  @Test
  void aNameThatWasMovedHereAndRemovedThereIsGone() throws Exception {
    on(2, ".", "mkdir -p moved/d/sub moved/e; echo 1 >moved/d/f; touch moved/d/sub/x");
    on(2, "moved", "for i in 1 2 3; do stat d/f d/sub/x e e/f; sleep 0.6; done");
    on(2, "moved", "mv d/f e/f; mv d/sub e/sub; stat e/f e/sub/x");
    on(1, "moved", "rm e/f; mv e/sub d/back");
    assertThat(on(2, "moved", "stat e/f")).contains("No such file");
    assertThat(on(2, "moved", "stat e/sub/x")).contains("No such file");
    assertThat(on(2, "moved", "ls e; stat -c %n d/back/x")).isEqualTo("d/back/x");
  }
}
