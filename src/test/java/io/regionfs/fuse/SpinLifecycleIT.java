package io.regionfs.fuse;

/** The tests of {@link FuseLifecycleIT} where a thread polls for requests. */
class SpinLifecycleIT extends FuseLifecycleIT {
  @Override
  FuseOptions options() {
    return super.options().withTransport(Transport.SPIN);
  }
}
