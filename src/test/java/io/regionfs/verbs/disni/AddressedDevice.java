package io.regionfs.verbs.disni;

import com.google.errorprone.annotations.MustBeClosed;
import io.regionfs.verbs.DeviceUnderTest;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.disni.FabricRequest.Wish;
import io.regionfs.verbs.soft.SoftDeviceOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;

/** The RDMA device that the system property {@link #PROPERTY} names by an address of it. */
public final class AddressedDevice implements DeviceUnderTest {
  public static final String PROPERTY = NativeDeviceUnderTest.ADDRESS;
  public static final String NONE = NativeDeviceUnderTest.NONE;

  private final InetAddress address;

  public AddressedDevice() throws UnknownHostException {
    address = InetAddress.getByName(System.getProperty(PROPERTY));
  }

  @Override
  @MustBeClosed
  public Fabric open() throws IOException {
    FabricRequest request = new FabricRequest(Wish.VERBS, null, Pinning.ON_DEMAND);
    return FabricSelection.choose(request, address, SoftDeviceOptions.defaults()).open();
  }

  @Override
  public InetAddress address() {
    return address;
  }

  @Override
  public void close() {}
}
