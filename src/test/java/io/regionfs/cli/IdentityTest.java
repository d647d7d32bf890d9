package io.regionfs.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.regionfs.daemon.CommandFailure;
import io.regionfs.daemon.Identity;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IdentityTest {
  @TempDir private Path directory = Path.of("");

  @Test
  void aNodeOfAClusterIsNoNodeOfAnother() throws Exception {
    Identity first = Identity.in(directory);
    Identity.checkCluster(directory, "embedded", false);
    Identity.checkCluster(directory, "a", true);
    Identity.checkCluster(directory, "a", true);
    for (boolean bind : new boolean[] {true, false}) {
      assertThatThrownBy(() -> Identity.checkCluster(directory, "b", bind))
          .isInstanceOf(CommandFailure.class)
          .hasMessageContaining("cluster a")
          .hasMessageContaining("cluster b");
    }
    assertThat(Identity.in(directory)).isEqualTo(first);
  }
}
