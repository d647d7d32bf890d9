package io.regionfs.verbs;

import com.google.errorprone.annotations.MustBeClosed;
import java.io.IOException;
import java.net.InetAddress;

/** A device that tests of what stands on fabrics run on. */
public interface DeviceUnderTest extends AutoCloseable {
  /** A host's fabric; to be closed before this. */
  @MustBeClosed
  Fabric open() throws IOException;

  InetAddress address();

  @Override
  void close();
}
