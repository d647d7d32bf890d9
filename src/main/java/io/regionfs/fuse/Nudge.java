package io.regionfs.fuse;

import io.regionfs.fuse.RequestLayout.GetXattr;
import io.regionfs.posix.LibC;
import io.regionfs.posix.Memory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * A request of our own to our own mount, which surely gets there and is answered at once: for an
 * extended attribute of its root that does not exist. The kernel asks nobody else about attributes
 * named "trusted", if the caller has CAP_SYS_ADMIN; others ask for one named "user". Any thread may
 * ask.
 */
final class Nudge implements AutoCloseable {
  private static final byte[] NAME =
      (LibC.INSTANCE.getuid() == 0 ? "trusted.regionfs.nudge" : "user.regionfs.nudge")
          .getBytes(StandardCharsets.US_ASCII);
  private static final int LENGTH = GetXattr.NAME + NAME.length + 1;
  private static final long ROOT = 1;

  private final long path;
  private final long name;

  Nudge(Path mountPoint) {
    this.path = text(mountPoint.toString().getBytes(StandardCharsets.UTF_8));
    this.name = text(NAME);
  }

  private static long text(byte[] bytes) {
    long address = Memory.allocate(bytes.length + 1);
    Memory.put(address, bytes, 0, bytes.length);
    Memory.putByte(address + bytes.length, (byte) 0);
    return address;
  }

  /** Whether it is one. */
  static boolean is(Request request) {
    return request.length() == LENGTH
        && request.opcode() == Opcode.GETXATTR
        && request.node().value() == ROOT
        && Arrays.equals(request.bytes(GetXattr.NAME, NAME.length), NAME);
  }

  /** Asks, and returns when that was answered. */
  void ask() {
    LibC.INSTANCE.getxattr(path, name, 0, 0);
  }

  @Override
  public void close() {
    Memory.free(path);
    Memory.free(name);
  }
}
