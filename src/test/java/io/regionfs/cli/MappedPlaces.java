package io.regionfs.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Where a program's files are: on a plain tmpfs, whose results are right, on RegionFS at home on
 * the program's host, and at home on another host.
 */
@SuppressWarnings("try") // closed by tests, which may be interrupted
final class MappedPlaces implements AutoCloseable {
  final ClusterFixture cluster;
  private final Path tmpfs;

  MappedPlaces(Object... mountOptions) throws IOException, InterruptedException {
    cluster = new ClusterFixture(2, 1, mountOptions);
    tmpfs = Files.createTempDirectory(Path.of("/dev/shm"), "regionfs-it");
  }

  /** What a program does with files; returns what it found in them. */
  @FunctionalInterface
  interface Use {
    /**
     * @param here the directory as the program's host has it, with the named files, empty
     * @param there the same directory as another host has it
     */
    String in(Path here, Path there) throws Exception;
  }

  /** The same is found in each place. */
  void compare(String name, List<String> files, Use use) throws Exception {
    Path plain = make(tmpfs.resolve(name), files);
    String expected = use.in(plain, plain);
    assertThat(expected).as("found on tmpfs").isNotBlank();
    for (int home = 1; home <= 2; home++) {
      String directory = name + "-at-" + home;
      make(cluster.mnt(home).resolve(directory), files);
      Path here = cluster.mnt(1).resolve(directory);
      for (String file : files) {
        assertThat(home(here.resolve(file))).isEqualTo("host-" + home);
      }
      assertThat(use.in(here, cluster.mnt(2).resolve(directory)))
          .as("found in files at home on host %d", home)
          .isEqualTo(expected);
    }
  }

  private static Path make(Path directory, List<String> files) throws IOException {
    Files.createDirectory(directory);
    for (String file : files) {
      Files.createFile(directory.resolve(file));
    }
    return directory;
  }

  private static String home(Path file) throws IOException {
    UserDefinedFileAttributeView attributes =
        Files.getFileAttributeView(file, UserDefinedFileAttributeView.class);
    ByteBuffer value = ByteBuffer.allocate(attributes.size("regionfs.home"));
    attributes.read("regionfs.home", value);
    return new String(value.array(), StandardCharsets.UTF_8);
  }

  @Override
  public void close() throws IOException, InterruptedException {
    try (Stream<Path> all = Files.walk(tmpfs)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    } finally {
      cluster.close();
    }
  }
}
