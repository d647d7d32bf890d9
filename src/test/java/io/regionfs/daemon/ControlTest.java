package io.regionfs.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ControlTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @TempDir private Path directory = Path.of("");

  private RunningMounts.Entry node() {
    return new RunningMounts.Entry(
        ProcessHandle.current().pid(),
        1,
        Path.of("/mnt/a"),
        directory,
        directory,
        directory.resolve("s.sock"),
        false);
  }

  private static Map<String, @Nullable Object> answer(
      String command, Map<String, @Nullable Object> request) {
    return switch (command) {
      case "echo" -> new HashMap<>(request);
      case "refuse" -> throw new FsException(Errno.ENOENT, "no inode 7");
      case "break" -> throw new IllegalStateException("a bug");
      default -> throw new CommandFailure("unknown command " + command);
    };
  }

  @Test
  void answersAndRefuses() throws Exception {
    try (ControlServer server = new ControlServer(node().controlSocket(), ControlTest::answer)) {
      assertThat(server).isNotNull();
      assertThat(ControlClient.ask(node(), Map.of("command", "echo", "inode", 5L), PATIENCE))
          .containsEntry("inode", 5L);
      for (String command : new String[] {"refuse", "break", "other"}) {
        assertThatThrownBy(() -> ControlClient.ask(node(), Map.of("command", command), PATIENCE))
            .isInstanceOf(CommandFailure.class);
      }
    }
    assertThat(node().controlSocket()).doesNotExist();
  }

  @Test
  void nonsenseEndsOnlyItsOwnConnection() throws Exception {
    try (ControlServer server = new ControlServer(node().controlSocket(), ControlTest::answer);
        SocketChannel nonsense =
            SocketChannel.open(UnixDomainSocketAddress.of(node().controlSocket()))) {
      assertThat(server).isNotNull();
      nonsense.write(ByteBuffer.wrap("\u0000\u0001{[\n".getBytes(StandardCharsets.UTF_8)));
      assertThat(ControlClient.ask(node(), Map.of("command", "echo"), PATIENCE)).isNotEmpty();
    }
  }

  @Test
  void aNodeThatDoesNotAnswerIsNamed() throws Exception {
    assertThatThrownBy(() -> ControlClient.ask(node(), Map.of("command", "echo"), PATIENCE))
        .isInstanceOf(CommandFailure.class)
        .hasMessageContaining("does not answer");
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch release = new CountDownLatch(1);
    ControlServer.Commands silent =
        (command, request) -> {
          asked.countDown();
          try {
            release.await();
          } catch (InterruptedException e) {
            throw new CommandFailure("interrupted", e);
          }
          return Map.of();
        };
    try (ControlServer server = new ControlServer(node().controlSocket(), silent)) {
      assertThat(server).isNotNull();
      assertThatThrownBy(
              () -> ControlClient.ask(node(), Map.of("command", "echo"), Duration.ofMillis(50)))
          .isInstanceOf(CommandFailure.class)
          .hasMessageContaining("did not answer");
      asked.await();
      release.countDown();
    }
  }
}
