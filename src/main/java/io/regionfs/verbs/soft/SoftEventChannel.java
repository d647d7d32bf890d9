package io.regionfs.verbs.soft;

import com.ibm.disni.verbs.RdmaCmEvent;
import com.ibm.disni.verbs.RdmaEventChannel;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The queue of connection events of its identifiers. */
final class SoftEventChannel extends RdmaEventChannel {
  private final SoftDevice device;
  private final LinkedBlockingQueue<RdmaCmEvent> events = new LinkedBlockingQueue<>();

  SoftEventChannel(SoftDevice device) throws IOException {
    super(-1);
    this.device = device;
  }

  SoftDevice device() {
    return device;
  }

  void add(RdmaCmEvent event) {
    events.add(event);
  }

  /** The next event, or null after the timeout; a negative timeout waits for ever. */
  @Nullable RdmaCmEvent next(int timeoutMillis) throws IOException {
    if (!isOpen()) {
      throw new IOException("event channel is destroyed");
    }
    try {
      return timeoutMillis < 0 ? events.take() : events.poll(timeoutMillis, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw (IOException) new InterruptedIOException("waiting for a connection event").initCause(e);
    }
  }
}
