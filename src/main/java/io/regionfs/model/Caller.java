package io.regionfs.model;

/**
 * Who asks: effective user and group of the calling process, and its process id on this host.
 *
 * @param umask permission bits that it does not want in what it makes, unless the directory has a
 *     default ACL
 */
public record Caller(int uid, int gid, int pid, int umask) {
  public Caller(int uid, int gid, int pid) {
    this(uid, gid, pid, 0);
  }
}
