package io.regionfs.cli.doctor;

import io.regionfs.posix.LibC;
import io.regionfs.verbs.device.Libraries;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The machine that is examined.
 *
 * @param root what stands for / (tests give their own)
 * @param uid of the user who would mount
 */
public record Machine(Path root, int uid, Map<String, String> environment) {
  public static Machine ofThisProcess() {
    return new Machine(Path.of("/"), LibC.INSTANCE.getuid(), System.getenv());
  }

  Path path(String below) {
    return root.resolve(below);
  }

  Libraries libraries() {
    return new Libraries(root, environment);
  }

  Optional<Path> onPath(String program) {
    return Stream.of(Objects.requireNonNullElse(environment.get("PATH"), "").split(":", -1))
        .filter(directory -> directory.startsWith("/"))
        .map(directory -> root.resolve(directory.substring(1)).resolve(program))
        .filter(Files::isExecutable)
        .findFirst();
  }
}
