package io.regionfs.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** What {@code auto} chooses, with all transports possible. */
@ExtendWith(UringSwitch.class)
@SuppressWarnings("NullAway.Init") // JUnit sets up what the fields hold
class TransportSelectionIT extends FuseMountFixture {
  @TempDir Path state;

  private Path cache() {
    return state.resolve("transport");
  }

  @Override
  FuseOptions options() {
    return FuseOptions.defaults().withTransportCache(cache());
  }

  @BeforeEach
  @Override
  void mount() throws IOException {
    super.mount();
  }

  @Test
  void measuresOnceAndKeepsTheVerdict() throws IOException {
    assertThat(mount.transport().reason()).contains("fastest", "threads", "uring");
    List<String> kept = Files.readAllLines(cache());
    assertThat(kept.get(0))
        .contains(Files.readString(Path.of("/proc/sys/kernel/osrelease")).strip());
    assertThat(kept.get(1)).isEqualTo(mount.transport().transport().text());
    Files.write(cache(), List.of(kept.get(0), "threads", "as kept"));
    assertThat(new TransportSelection(fileSystem, options()).choose())
        .isEqualTo(new TransportChoice(Transport.THREADS, "as kept"));
    assertThat(shell.sh("echo x > a; cat a")).isEqualTo("x");
  }

  @Test
  void measuresAgainOnAnotherKernel() throws IOException {
    Files.write(cache(), List.of("another kernel", "spin", "as kept"));
    assertThat(new TransportSelection(fileSystem, options()).choose().reason()).contains("fastest");
    assertThat(Files.readAllLines(cache()).get(0)).doesNotContain("another kernel");
  }
}
