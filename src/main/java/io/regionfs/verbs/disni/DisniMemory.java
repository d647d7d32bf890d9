package io.regionfs.verbs.disni;

import com.ibm.disni.verbs.IbvMr;
import io.regionfs.verbs.RegisteredMemory;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One memory region of the device. */
final class DisniMemory implements RegisteredMemory {
  private static final Logger LOG = LoggerFactory.getLogger(DisniMemory.class);

  private final DisniFabric fabric;
  private final IbvMr region;
  private final long address;
  private final long length;
  private final AtomicBoolean closed = new AtomicBoolean();

  DisniMemory(DisniFabric fabric, IbvMr region, long address, long length) {
    this.fabric = fabric;
    this.region = region;
    this.address = address;
    this.length = length;
  }

  @Override
  public long address() {
    return address;
  }

  @Override
  public long length() {
    return length;
  }

  @Override
  public int localKey() {
    return region.getLkey();
  }

  @Override
  public int remoteKey() {
    return region.getRkey();
  }

  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    try {
      region.deregMr().execute().free();
    } catch (IOException e) {
      LOG.error("Memory at {} could not be deregistered", Long.toHexString(address), e);
    } finally {
      fabric.forget(this);
    }
  }
}
