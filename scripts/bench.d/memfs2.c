/*
 * A baseline of scripts/bench: one file in memory, "f", on libfuse2's low-level interface and its own loop of threads. It
 * shows what a filesystem in C does per request that does nothing but copy. (The interface by path is a little slower.)
 *
 *   memfs2 BYTES MOUNT-POINT [libfuse2 options]     stays in the foreground
 */
#define FUSE_USE_VERSION 26
#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { THE_FILE = 2 };

static char *bytes;
static size_t size;

static int attributes(fuse_ino_t inode, struct stat *out) {
  memset(out, 0, sizeof *out);
  if (inode != FUSE_ROOT_ID && inode != THE_FILE) return ENOENT;
  out->st_ino = inode;
  out->st_mode = inode == THE_FILE ? S_IFREG | 0644 : S_IFDIR | 0755;
  out->st_nlink = inode == THE_FILE ? 1 : 2;
  out->st_size = inode == THE_FILE ? (off_t)size : 0;
  return 0;
}

static void lookup(fuse_req_t request, fuse_ino_t parent, const char *name) {
  struct fuse_entry_param entry = {.ino = THE_FILE, .attr_timeout = 3600, .entry_timeout = 3600};
  if (parent != FUSE_ROOT_ID || strcmp(name, "f")) {
    fuse_reply_err(request, ENOENT);
    return;
  }
  attributes(THE_FILE, &entry.attr);
  fuse_reply_entry(request, &entry);
}

static void getattr(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info) {
  (void)info;
  struct stat stat;
  int error = attributes(inode, &stat);
  if (error) {
    fuse_reply_err(request, error);
  } else {
    fuse_reply_attr(request, &stat, 3600);
  }
}

static void open_file(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info) {
  (void)inode;
  info->direct_io = 1; /* else the kernel would answer from its own memory */
  fuse_reply_open(request, info);
}

static void read_file(fuse_req_t request, fuse_ino_t inode, size_t count, off_t at, struct fuse_file_info *info) {
  (void)inode, (void)info;
  size_t start = (size_t)at < size ? (size_t)at : size;
  fuse_reply_buf(request, bytes + start, count < size - start ? count : size - start);
}

static void write_file(fuse_req_t request, fuse_ino_t inode, const char *data, size_t count, off_t at,
                       struct fuse_file_info *info) {
  (void)inode, (void)info;
  if ((size_t)at > size || count > size - (size_t)at) {
    fuse_reply_err(request, ENOSPC);
    return;
  }
  memcpy(bytes + at, data, count);
  fuse_reply_write(request, count);
}

/* Else the kernel asks for it before each write. */
static void getxattr(fuse_req_t request, fuse_ino_t inode, const char *name, size_t count) {
  (void)inode, (void)name, (void)count;
  fuse_reply_err(request, ENOSYS);
}

static const struct fuse_lowlevel_ops operations = {
  .lookup = lookup, .getattr = getattr, .open = open_file, .read = read_file, .write = write_file, .getxattr = getxattr};


int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: %s BYTES MOUNT-POINT [OPTION...]\n", argv[0]);
    return 2;
  }
  size = (size_t)atoll(argv[1]);
  bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (bytes == MAP_FAILED) {
    perror("memory");
    return 1;
  }
  const char *mount_point = argv[2];
  argv[2] = argv[0];
  struct fuse_args arguments = FUSE_ARGS_INIT(argc - 2, argv + 2);
  struct fuse_chan *channel = fuse_mount(mount_point, &arguments);
  struct fuse_session *session = channel ? fuse_lowlevel_new(&arguments, &operations, sizeof operations, NULL) : NULL;
  if (!session || fuse_set_signal_handlers(session)) return 1;
  fuse_session_add_chan(session, channel);
  int result = fuse_session_loop_mt(session);
  fuse_remove_signal_handlers(session);
  fuse_session_remove_chan(channel);
  fuse_session_destroy(session);
  fuse_unmount(mount_point, channel);
  fuse_opt_free_args(&arguments);
  return result ? 1 : 0;
}
