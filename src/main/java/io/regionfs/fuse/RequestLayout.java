package io.regionfs.fuse;

/**
 * Where things stand in a request, in bytes from its start: a header of 40 bytes, a struct that
 * depends on the opcode, then names (each ended by NUL) or data. All numbers are in host order.
 *
 * <pre>
 * 0    4       8       16      24   28   32   36   40
 * | len| opcode| unique| node  | uid| gid| pid| ext| struct, names, data ...
 * </pre>
 *
 * Source: linux/fuse.h, protocol 7.12 and later.
 */
final class RequestLayout {
  private RequestLayout() {}

  /** struct fuse_in_header. */
  static final class Header {
    static final int LENGTH = 0;
    static final int OPCODE = LENGTH + 4;
    static final int UNIQUE = OPCODE + 4;
    static final int NODE = UNIQUE + 8;
    static final int UID = NODE + 8;
    static final int GID = UID + 4;
    static final int PID = GID + 4;
    static final int BYTES = PID + 4 + 4;

    private Header() {}
  }

  /** struct fuse_init_in. */
  static final class Init {
    static final int MAJOR = Header.BYTES;
    static final int MINOR = MAJOR + 4;
    static final int MAX_READAHEAD = MINOR + 4;
    static final int FLAGS = MAX_READAHEAD + 4;

    /** Only there if FLAGS has INIT_EXT. */
    static final int FLAGS2 = FLAGS + 4;

    private Init() {}
  }

  /** struct fuse_setattr_in. */
  static final class SetAttr {
    static final int VALID = Header.BYTES;
    static final int SIZE = VALID + 16;
    static final int ATIME = SIZE + 16;
    static final int MTIME = ATIME + 8;
    static final int ATIME_NANOS = MTIME + 16;
    static final int MTIME_NANOS = ATIME_NANOS + 4;
    static final int MODE = MTIME_NANOS + 8;
    static final int UID = MODE + 8;
    static final int GID = UID + 4;

    static final int HAS_MODE = 1;
    static final int HAS_UID = 1 << 1;
    static final int HAS_GID = 1 << 2;
    static final int HAS_SIZE = 1 << 3;
    static final int HAS_ATIME = 1 << 4;
    static final int HAS_MTIME = 1 << 5;
    static final int HAS_ANY = (1 << 6) - 1;
    static final int ATIME_NOW = 1 << 7;
    static final int MTIME_NOW = 1 << 8;

    /** Set-user-id and set-group-id bits go; capabilities go with any size, user or group. */
    static final int KILL_SET_ID = 1 << 11;

    private SetAttr() {}
  }

  /** struct fuse_mknod_in; the name follows. */
  static final class Mknod {
    static final int MODE = Header.BYTES;
    static final int UMASK = MODE + 8;
    static final int NAME = UMASK + 8;

    private Mknod() {}
  }

  /** struct fuse_mkdir_in; the name follows. */
  static final class Mkdir {
    static final int MODE = Header.BYTES;
    static final int UMASK = MODE + 4;
    static final int NAME = UMASK + 4;

    private Mkdir() {}
  }

  /** struct fuse_rename_in; the old and the new name follow. */
  static final class Rename {
    static final int NEW_PARENT = Header.BYTES;
    static final int NAMES = NEW_PARENT + 8;

    private Rename() {}
  }

  /** struct fuse_rename2_in; the old and the new name follow. */
  static final class Rename2 {
    static final int NEW_PARENT = Header.BYTES;
    static final int FLAGS = NEW_PARENT + 8;
    static final int NAMES = FLAGS + 8;

    private Rename2() {}
  }

  /** struct fuse_link_in; the new name follows. */
  static final class Link {
    static final int INODE = Header.BYTES;
    static final int NAME = INODE + 8;

    private Link() {}
  }

  /** struct fuse_open_in. */
  static final class Open {
    static final int FLAGS = Header.BYTES;
    static final int OPEN_FLAGS = FLAGS + 4;

    /** With O_TRUNC: set-user-id and set-group-id bits go. */
    static final int KILL_SET_ID = 1;

    private Open() {}
  }

  /** struct fuse_create_in; the name follows. */
  static final class Create {
    static final int FLAGS = Header.BYTES;
    static final int MODE = FLAGS + 4;
    static final int UMASK = MODE + 4;
    static final int NAME = UMASK + 8;

    private Create() {}
  }

  /** The handle stands first in every struct about something open. */
  static final class Handle {
    static final int HANDLE = Header.BYTES;

    private Handle() {}
  }

  /** struct fuse_read_in, of READ and READDIR. */
  static final class Read {
    static final int OFFSET = Handle.HANDLE + 8;
    static final int SIZE = OFFSET + 8;
    static final int READ_FLAGS = SIZE + 4;

    /** A read call, which has a lock owner; without it pages of the cache are filled. */
    static final int HAS_LOCK_OWNER = 1 << 1;

    private Read() {}
  }

  /** struct fuse_write_in; the data follow. */
  static final class Write {
    static final int OFFSET = Handle.HANDLE + 8;
    static final int SIZE = OFFSET + 8;
    static final int WRITE_FLAGS = SIZE + 4;
    static final int OPEN_FLAGS = WRITE_FLAGS + 12;
    static final int DATA = OPEN_FLAGS + 8;

    /** The bytes come from mapped pages, not from a write call. */
    static final int FROM_CACHE = 1;

    /** Set-user-id and set-group-id bits go: the writer may not keep them. */
    static final int KILL_SET_ID = 1 << 2;

    private Write() {}
  }

  /** struct fuse_flush_in. */
  static final class Flush {
    static final int LOCK_OWNER = Handle.HANDLE + 16;

    private Flush() {}
  }

  /** struct fuse_fsync_in. */
  static final class Fsync {
    static final int FLAGS = Handle.HANDLE + 8;
    static final int DATA_ONLY = 1;

    private Fsync() {}
  }

  /** struct fuse_lk_in. */
  static final class Lock {
    static final int OWNER = Handle.HANDLE + 8;
    static final int FIRST = OWNER + 8;
    static final int LAST = FIRST + 8;
    static final int TYPE = LAST + 8;
    static final int PID = TYPE + 4;
    static final int FLAGS = PID + 4;

    static final int FLOCK = 1;

    private Lock() {}
  }

  /** struct fuse_fallocate_in. */
  static final class Fallocate {
    static final int OFFSET = Handle.HANDLE + 8;
    static final int LENGTH = OFFSET + 8;
    static final int MODE = LENGTH + 8;

    private Fallocate() {}
  }

  /** struct fuse_lseek_in. */
  static final class Lseek {
    static final int OFFSET = Handle.HANDLE + 8;
    static final int WHENCE = OFFSET + 8;

    private Lseek() {}
  }

  /** struct fuse_setxattr_in; the name and the value follow. */
  static final class SetXattr {
    static final int SIZE = Header.BYTES;
    static final int FLAGS = SIZE + 4;

    /** Where kernels before 5.13, without an extension, have the name. */
    static final int SHORT_NAME = FLAGS + 4;

    static final int EXTRA_FLAGS = FLAGS + 4;
    static final int NAME = EXTRA_FLAGS + 8;

    /** The caller may not keep the set-group-id bit when it sets this ACL. */
    static final int ACL_KILL_SETGID = 1;

    private SetXattr() {}
  }

  /** struct fuse_getxattr_in, of GETXATTR (the name follows) and LISTXATTR. */
  static final class GetXattr {
    static final int SIZE = Header.BYTES;
    static final int NAME = SIZE + 8;

    private GetXattr() {}
  }

  /** struct fuse_interrupt_in. */
  static final class Interrupt {
    static final int UNIQUE = Header.BYTES;

    private Interrupt() {}
  }
}
