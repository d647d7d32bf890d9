package io.regionfs.posix;

import jnr.ffi.LastError;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Runtime;

/**
 * The C library, with raw addresses as long (LP64), so that calls make no objects. Each returns −1
 * on failure and leaves the reason in {@link #errno()}, to be read by the same thread before its
 * next call. Source: the man pages, section 2.
 */
@SuppressWarnings("checkstyle:MethodName")
public interface LibC {
  LibC INSTANCE = LibraryLoader.create(LibC.class).failImmediately().load("c");
  Runtime RUNTIME = Runtime.getRuntime(INSTANCE);

  int O_RDONLY = 0;
  int O_RDWR = 2;
  int O_CREAT = 0100;
  int O_NONBLOCK = 04000;
  int O_APPEND = 02000;
  int O_NOATIME = 01000000;
  int O_CLOEXEC = 02000000;
  int F_GETFL = 3;
  int F_SETFL = 4;
  int PROT_READ = 1;
  int PROT_WRITE = 2;
  int MAP_SHARED = 1;
  int MAP_PRIVATE = 2;
  int MAP_ANONYMOUS = 0x20;
  int MAP_NORESERVE = 0x4000;
  int FALLOC_FL_KEEP_SIZE = 1;
  int FALLOC_FL_PUNCH_HOLE = 2;
  int SEEK_DATA = 3;
  int SEEK_HOLE = 4;
  int MNT_DETACH = 2;
  int AT_EMPTY_PATH = 0x1000;
  long UTIME_NOW = (1L << 30) - 1;
  long UTIME_OMIT = (1L << 30) - 2;
  long MS_NOSUID = 2;
  long MS_NODEV = 4;
  long MS_REMOUNT = 32;
  int AF_INET = 2;
  int SOCK_STREAM = 1;
  int SOCK_CLOEXEC = 02000000;
  int SOCK_NONBLOCK = 04000;
  int MSG_DONTWAIT = 0x40;
  int MSG_NOSIGNAL = 0x4000;
  int POLLIN = 1;
  int POLLOUT = 4;
  int EPOLLIN = 1;
  int EPOLLOUT = 4;
  int EPOLL_CTL_ADD = 1;
  int EPOLL_CTL_DEL = 2;
  int EPOLL_CTL_MOD = 3;

  int open(String path, int flags, int mode);

  int close(int fd);

  /** For commands whose argument is a number. */
  int fcntl(int fd, int command, long argument);

  long read(int fd, long buffer, long bytes);

  long write(int fd, long buffer, long bytes);

  long readv(int fd, long iovec, int count);

  long writev(int fd, long iovec, int count);

  long pread(int fd, long buffer, long bytes, long offset);

  long pwrite(int fd, long buffer, long bytes, long offset);

  long lseek(int fd, long offset, int whence);

  int ftruncate(int fd, long length);

  int fallocate(int fd, int mode, long offset, long length);

  int munmap(long address, long length);

  int madvise(long address, long length, int advice);

  int poll(long fds, long count, int timeoutMillis);

  int mount(String source, String target, String type, long flags, String options);

  int utimensat(int directory, String path, long times, int flags);

  int futimens(int fd, long times);

  int open_by_handle_at(int mount, long handle, int flags);

  int umount2(String target, int flags);

  int sched_getaffinity(int thread, long bytes, long mask);

  int sched_setaffinity(int thread, long bytes, long mask);

  long getxattr(long path, long name, long value, long bytes);

  int gettid();

  int getuid();

  int getgid();

  int kill(int pid, int signal);

  /** Commands whose argument is a number or an address. */
  int ioctl(int fd, long command, long argument);

  int eventfd(int initial, int flags);

  int socket(int domain, int type, int protocol);

  int bind(int fd, long address, int length);

  int listen(int fd, int backlog);

  int accept4(int fd, long address, long length, int flags);

  int connect(int fd, long address, int length);

  int shutdown(int fd, int how);

  int getsockname(int fd, long address, long length);

  int getpeername(int fd, long address, long length);

  int setsockopt(int fd, int level, int option, long value, int length);

  int getsockopt(int fd, int level, int option, long value, long length);

  long send(int fd, long buffer, long bytes, int flags);

  long recv(int fd, long buffer, long bytes, int flags);

  long sendmsg(int fd, long message, int flags);

  int epoll_create1(int flags);

  int epoll_ctl(int epoll, int operation, int fd, long event);

  int epoll_wait(int epoll, long events, int count, int timeoutMillis);

  long syscall(long number, long a, long b, long c, long d, long e, long f);

  /**
   * mmap(2) through syscall(2): jnr-ffi hands a wrong sixth argument to functions that have exactly
   * six.
   *
   * @return the address, or −1
   */
  default long mmap(long address, long length, int protection, int flags, int fd, long offset) {
    return syscall(9, address, length, protection, flags, fd, offset);
  }

  /** errno of this thread's last call. */
  static int errno() {
    return LastError.getLastError(RUNTIME);
  }
}
