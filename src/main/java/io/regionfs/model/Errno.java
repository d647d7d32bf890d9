package io.regionfs.model;

/** Error numbers of Linux that RegionFS answers with. Source: errno(3), asm-generic/errno.h. */
public enum Errno {
  EPERM(1),
  ENOENT(2),
  ESRCH(3),
  EINTR(4),
  EIO(5),
  ENXIO(6),
  E2BIG(7),
  EBADF(9),
  EAGAIN(11),
  ENOMEM(12),
  EACCES(13),
  EBUSY(16),
  EEXIST(17),
  EXDEV(18),
  ENODEV(19),
  ENOTDIR(20),
  EISDIR(21),
  EINVAL(22),
  ENOTTY(25),
  EFBIG(27),
  ENOSPC(28),
  EROFS(30),
  EMLINK(31),
  ERANGE(34),
  EDEADLK(35),
  ENAMETOOLONG(36),
  ENOLCK(37),
  ENOSYS(38),
  ENOTEMPTY(39),
  ELOOP(40),
  ENODATA(61),
  EPROTO(71),
  EOVERFLOW(75),
  EPROTONOSUPPORT(93),
  EOPNOTSUPP(95),
  ENOTCONN(107),
  ETIMEDOUT(110),
  ESTALE(116);

  private final int code;

  Errno(int code) {
    this.code = code;
  }

  /** The positive number the kernel knows this error by. */
  public int code() {
    return code;
  }

  /** The error with this number; EIO for a number that is not listed. */
  public static Errno of(int code) {
    for (Errno errno : values()) {
      if (errno.code == code) {
        return errno;
      }
    }
    return EIO;
  }
}
