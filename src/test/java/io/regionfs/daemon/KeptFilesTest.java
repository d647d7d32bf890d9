package io.regionfs.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KeptFilesTest {
  @TempDir private Path directory = Path.of("");

  @Test
  void whatIsDiscardedIsGone() throws Exception {
    Path state = Directories.makePrivate(directory.resolve("state"));
    Path memory = directory.resolve("memory");
    Path cluster = Files.createDirectories(memory.resolve("cluster"));
    Files.createFile(cluster.resolve("lock"));
    Files.writeString(cluster.resolve("1"), "bytes");
    Path log = Files.createDirectories(state.resolve(KeptFiles.METADATA).resolve("log/deep"));
    Files.writeString(log.resolve("1"), "entries");
    KeptFiles kept = new KeptFiles(3, 5 << 20, memory);
    kept.note(state);
    assertThat(KeptFiles.in(state)).contains(kept);
    assertThat(kept.text()).isEqualTo("kept 3 files, 5.0 MiB of memory in " + memory);
    try (StateLock inUse = StateLock.take(state)) {
      assertThat(inUse).isNotNull();
      assertThatThrownBy(() -> KeptFiles.discard(state, null)).hasMessageContaining("in use");
    }
    KeptFiles.discard(state, null);
    assertThat(memory).doesNotExist();
    assertThat(state.resolve(KeptFiles.METADATA)).doesNotExist();
    assertThat(KeptFiles.in(state)).isEmpty();
    KeptFiles.discard(state, null);
  }
}
