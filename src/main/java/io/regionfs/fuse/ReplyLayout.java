package io.regionfs.fuse;

/**
 * Where things stand in a reply, in bytes from its start: a header of 16 bytes, then what the
 * request asked for.
 *
 * <pre>
 * 0    4       8        16
 * | len| -errno| unique | struct or data ...
 * </pre>
 *
 * Source: linux/fuse.h.
 */
final class ReplyLayout {
  private ReplyLayout() {}

  /** struct fuse_out_header. */
  static final class Header {
    static final int LENGTH = 0;
    static final int ERROR = LENGTH + 4;
    static final int UNIQUE = ERROR + 4;
    static final int BYTES = UNIQUE + 8;

    private Header() {}
  }

  /** struct fuse_attr, relative to where it stands in another struct. */
  static final class Attr {
    static final int INODE = 0;
    static final int SIZE = INODE + 8;
    static final int BLOCKS = SIZE + 8;
    static final int ATIME = BLOCKS + 8;
    static final int MTIME = ATIME + 8;
    static final int CTIME = MTIME + 8;
    static final int ATIME_NANOS = CTIME + 8;
    static final int MTIME_NANOS = ATIME_NANOS + 4;
    static final int CTIME_NANOS = MTIME_NANOS + 4;
    static final int MODE = CTIME_NANOS + 4;
    static final int LINKS = MODE + 4;
    static final int UID = LINKS + 4;
    static final int GID = UID + 4;
    static final int RDEV = GID + 4;
    static final int BLOCK_SIZE = RDEV + 4;
    static final int FLAGS = BLOCK_SIZE + 4;
    static final int BYTES = FLAGS + 4;

    private Attr() {}
  }

  /** struct fuse_entry_out. */
  static final class Entry {
    static final int NODE = Header.BYTES;
    static final int GENERATION = NODE + 8;
    static final int ENTRY_VALID = GENERATION + 8;
    static final int ATTR_VALID = ENTRY_VALID + 8;
    static final int ENTRY_VALID_NANOS = ATTR_VALID + 8;
    static final int ATTR_VALID_NANOS = ENTRY_VALID_NANOS + 4;
    static final int ATTR = ATTR_VALID_NANOS + 4;
    static final int END = ATTR + Attr.BYTES;

    private Entry() {}
  }

  /** struct fuse_attr_out. */
  static final class AttrOut {
    static final int ATTR_VALID = Header.BYTES;
    static final int ATTR_VALID_NANOS = ATTR_VALID + 8;
    static final int ATTR = ATTR_VALID_NANOS + 8;
    static final int END = ATTR + Attr.BYTES;

    private AttrOut() {}
  }

  /** struct fuse_open_out, relative: alone in OPEN, behind an Entry in CREATE. */
  static final class Open {
    static final int HANDLE = 0;
    static final int FLAGS = HANDLE + 8;
    static final int BACKING_ID = FLAGS + 4;
    static final int BYTES = BACKING_ID + 4;

    static final int DIRECT_IO = 1;
    static final int KEEP_CACHE = 1 << 1;
    static final int PARALLEL_DIRECT_WRITES = 1 << 6;
    static final int PASSTHROUGH = 1 << 7;

    private Open() {}
  }

  /** struct fuse_write_out. */
  static final class Write {
    static final int SIZE = Header.BYTES;
    static final int END = SIZE + 8;

    private Write() {}
  }

  /** struct fuse_notify_inval_inode_out, in a message that no request asked for. */
  static final class InvalidInode {
    static final int INODE = Header.BYTES;
    static final int OFFSET = INODE + 8;
    static final int LENGTH = OFFSET + 8;
    static final int END = LENGTH + 8;

    private InvalidInode() {}
  }

  /** struct fuse_statfs_out. */
  static final class StatFs {
    static final int BLOCKS = Header.BYTES;
    static final int FREE_BLOCKS = BLOCKS + 8;
    static final int AVAILABLE_BLOCKS = FREE_BLOCKS + 8;
    static final int FILES = AVAILABLE_BLOCKS + 8;
    static final int FREE_FILES = FILES + 8;
    static final int BLOCK_SIZE = FREE_FILES + 8;
    static final int NAME_MAX = BLOCK_SIZE + 4;
    static final int FRAGMENT_SIZE = NAME_MAX + 4;
    static final int END = FRAGMENT_SIZE + 8 + 24;

    private StatFs() {}
  }

  /** struct fuse_getxattr_out: the size of a value or list, when the request asked only for it. */
  static final class XattrSize {
    static final int SIZE = Header.BYTES;
    static final int END = SIZE + 8;

    private XattrSize() {}
  }

  /** struct fuse_lk_out. */
  static final class Lock {
    static final int FIRST = Header.BYTES;
    static final int LAST = FIRST + 8;
    static final int TYPE = LAST + 8;
    static final int PID = TYPE + 4;
    static final int END = PID + 4;

    private Lock() {}
  }

  /** struct fuse_lseek_out. */
  static final class Lseek {
    static final int OFFSET = Header.BYTES;
    static final int END = OFFSET + 8;

    private Lseek() {}
  }

  /** struct fuse_dirent, relative; each begins on a multiple of 8. */
  static final class Dirent {
    static final int INODE = 0;
    static final int COOKIE = INODE + 8;
    static final int NAME_LENGTH = COOKIE + 8;
    static final int TYPE = NAME_LENGTH + 4;
    static final int NAME = TYPE + 4;

    private Dirent() {}
  }

  /** struct fuse_statx_out with its struct fuse_statx. */
  static final class Statx {
    static final int ATTR_VALID = Header.BYTES;
    static final int ATTR_VALID_NANOS = ATTR_VALID + 8;
    static final int MASK = ATTR_VALID_NANOS + 4 + 4 + 16;
    static final int BLOCK_SIZE = MASK + 4;
    static final int LINKS = BLOCK_SIZE + 4 + 8;
    static final int UID = LINKS + 4;
    static final int GID = UID + 4;
    static final int MODE = GID + 4;
    static final int INODE = MODE + 4;
    static final int SIZE = INODE + 8;
    static final int BLOCKS = SIZE + 8;
    static final int ATIME = BLOCKS + 8 + 8;
    static final int BTIME = ATIME + 16;
    static final int CTIME = BTIME + 16;
    static final int MTIME = CTIME + 16;
    static final int END = MASK + 256;

    /** STATX_BASIC_STATS and STATX_BTIME. */
    static final int BASIC_AND_BTIME = 0xfff;

    private Statx() {}
  }

  /** struct fuse_init_out. */
  static final class Init {
    static final int MAJOR = Header.BYTES;
    static final int MINOR = MAJOR + 4;
    static final int MAX_READAHEAD = MINOR + 4;
    static final int FLAGS = MAX_READAHEAD + 4;
    static final int MAX_BACKGROUND = FLAGS + 4;
    static final int CONGESTION_THRESHOLD = MAX_BACKGROUND + 2;
    static final int MAX_WRITE = CONGESTION_THRESHOLD + 2;
    static final int TIME_GRANULARITY = MAX_WRITE + 4;
    static final int MAX_PAGES = TIME_GRANULARITY + 4;
    static final int FLAGS2 = MAX_PAGES + 2 + 2;
    static final int MAX_STACK_DEPTH = FLAGS2 + 4;
    static final int END = Header.BYTES + 64;

    private Init() {}
  }
}
