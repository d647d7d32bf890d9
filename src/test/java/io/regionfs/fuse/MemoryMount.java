package io.regionfs.fuse;

import java.nio.file.Path;

/**
 * A process that serves a filesystem in memory until it is killed: for tests of what becomes of a
 * mount then. Its argument is the directory; with a second one the kernel uses the files itself.
 */
final class MemoryMount {
  private MemoryMount() {}

  public static void main(String[] args) throws Exception {
    MemoryFileSystem fileSystem =
        new MemoryFileSystem() {
          @Override
          FileBytes newFile() {
            return args.length > 1 ? new BackedFile() : new MemoryFile();
          }
        };
    try (FuseMount mount = FuseMount.mount(Path.of(args[0]), fileSystem, FuseOptions.defaults())) {
      System.out.println("mounted");
      mount.awaitEnd();
    }
  }
}
