package io.regionfs.fuse;

/** The tests of {@link FuseMountIT} where a thread polls for requests. */
class SpinMountIT extends FuseMountIT {
  @Override
  FuseOptions options() {
    return super.options().withTransport(Transport.SPIN);
  }
}
