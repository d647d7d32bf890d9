package io.regionfs.cli;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/** Removes what a node that was killed could not. */
final class Leftovers {
  private Leftovers() {}

  /** Its entry and, if its cluster is gone with it, the memory it lent. */
  static void remove(RunningMounts.Entry node, RunningMounts running) {
    try {
      if (node.ownsCluster()) {
        removeMemory(node.memoryDirectory());
      }
      running.remove(node);
    } catch (IOException e) {
      throw new CommandFailure(
          "cannot clean up after process " + node.pid() + ": " + Directories.reason(e), e);
    }
  }

  /** Removes a directory of lent memory, which is always one that RegionFS made for itself. */
  static void removeMemory(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      return;
    }
    Files.walkFileTree(
        directory,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.deleteIfExists(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path visited, @Nullable IOException failure)
              throws IOException {
            if (failure != null) {
              throw failure;
            }
            Files.deleteIfExists(visited);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
