package io.regionfs.verbs.disni;

import com.google.errorprone.annotations.MustBeClosed;
import io.regionfs.verbs.Fabric;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;

/** The RDMA device that tests run on, named by an address of it in a system property. */
public final class RdmaUnderTest {
  public static final String ADDRESS = NativeDeviceUnderTest.ADDRESS;
  public static final String NONE = NativeDeviceUnderTest.NONE;

  private RdmaUnderTest() {}

  public static InetAddress address() {
    try {
      return InetAddress.getByName(System.getProperty(ADDRESS));
    } catch (UnknownHostException e) {
      throw new IllegalStateException(e);
    }
  }

  @MustBeClosed
  public static Fabric open() throws IOException {
    return DisniFabric.open(address(), "under test", Pinning.ALWAYS);
  }

  /** Has DiSNI use libdisni. */
  public static void seat() throws IOException {
    NativeProvider.seat();
  }
}
