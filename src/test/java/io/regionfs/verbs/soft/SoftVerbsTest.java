package io.regionfs.verbs.soft;

import com.ibm.disni.verbs.RdmaCm;
import io.regionfs.verbs.VerbsContract;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;

class SoftVerbsTest extends VerbsContract {
  @Override
  protected RdmaCm cm() throws IOException {
    SoftDevice.install(SoftDeviceOptions.defaults());
    return RdmaCm.open();
  }

  @Override
  protected InetSocketAddress address() {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
  }

  @Override
  protected boolean isStrict() {
    return true;
  }
}
