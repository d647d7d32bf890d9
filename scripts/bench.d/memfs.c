/*
 * The baseline of scripts/bench: a filesystem of empty files in memory, on libfuse3's low-level interface. It shows what
 * a filesystem in C does per request that does as little as possible.
 *
 *   memfs VALID MOUNT-POINT [libfuse3 options]     -f is implied
 *
 * VALID is for how many seconds the kernel may keep names and attributes; 0: not at all. In the root are the files f0 to
 * f9999.
 */
#define FUSE_USE_VERSION 32
#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILES = 10000, FIRST_FILE = 2 };

static double valid;

static int attributes(fuse_ino_t inode, struct stat *out) {
  memset(out, 0, sizeof *out);
  if (inode < FUSE_ROOT_ID || inode >= FIRST_FILE + FILES) return ENOENT;
  int is_directory = inode == FUSE_ROOT_ID;
  out->st_ino = inode;
  out->st_mode = is_directory ? S_IFDIR | 0755 : S_IFREG | 0644;
  out->st_nlink = is_directory ? 2 : 1;
  out->st_mtim.tv_sec = out->st_ctim.tv_sec = out->st_atim.tv_sec = 1700000000;
  return 0;
}

static void lookup(fuse_req_t request, fuse_ino_t parent, const char *name) {
  struct fuse_entry_param entry = {.attr_timeout = valid, .entry_timeout = valid};
  char *end = NULL;
  unsigned long i = name[0] == 'f' ? strtoul(name + 1, &end, 10) : FILES;
  if (parent != FUSE_ROOT_ID || i >= FILES || end == name + 1 || *end) {
    fuse_reply_err(request, ENOENT);
    return;
  }
  entry.ino = FIRST_FILE + i;
  attributes(entry.ino, &entry.attr);
  fuse_reply_entry(request, &entry);
}

static void getattr(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info) {
  (void)info;
  struct stat stat;
  int error = attributes(inode, &stat);
  if (error) {
    fuse_reply_err(request, error);
  } else {
    fuse_reply_attr(request, &stat, valid);
  }
}

static const struct fuse_lowlevel_ops operations = {.lookup = lookup, .getattr = getattr};

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: %s VALID MOUNT-POINT [OPTION...]\n", argv[0]);
    return 2;
  }
  valid = atof(argv[1]);
  const char *mount_point = argv[2];
  argv[2] = argv[0];
  struct fuse_args arguments = FUSE_ARGS_INIT(argc - 2, argv + 2);
  struct fuse_session *session = fuse_session_new(&arguments, &operations, sizeof operations, NULL);
  if (!session || fuse_set_signal_handlers(session) || fuse_session_mount(session, mount_point)) return 1;
  struct fuse_loop_config config = {.clone_fd = 0, .max_idle_threads = 10};
  int result = fuse_session_loop_mt(session, &config);
  fuse_session_unmount(session);
  fuse_remove_signal_handlers(session);
  fuse_session_destroy(session);
  return result ? 1 : 0;
}
