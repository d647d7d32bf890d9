package io.regionfs.verbs.soft;

import com.ibm.disni.verbs.RdmaCm;
import com.ibm.disni.verbs.RdmaProvider;
import com.ibm.disni.verbs.RdmaVerbs;
import java.io.IOException;

/** DiSNI's way to a device. */
final class SoftProvider extends RdmaProvider {
  /** The version of the native interface that DiSNI 2.1 expects. */
  private static final int DISNI_VERSION = 32;

  private final SoftDevice device;
  private final SoftCm cm;
  private final SoftVerbs verbs = new SoftVerbs();

  SoftProvider(SoftDevice device) {
    this.device = device;
    cm = new SoftCm(device);
  }

  SoftDevice device() {
    return device;
  }

  @Override
  public RdmaCm openCm() throws IOException {
    return cm;
  }

  @Override
  public RdmaVerbs openVerbs() throws IOException {
    return verbs;
  }

  @Override
  public int getVersion() {
    return DISNI_VERSION;
  }
}
