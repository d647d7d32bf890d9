package io.regionfs.verbs.disni;

import com.ibm.disni.verbs.impl.NatCmaIdPrivate;
import com.ibm.disni.verbs.impl.NatRdmaEventChannel;
import io.regionfs.posix.Memory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A channel of connection events that knows its identifiers only as long as they live; DiSNI's own
 * keeps every one for ever, in a map that several threads change.
 */
final class NativeEventChannel extends NatRdmaEventChannel {
  private static final int ANSWER_BYTES = 2 * Long.BYTES;

  private final Map<Long, NatCmaIdPrivate> identifiers = new ConcurrentHashMap<>();

  /** Where libdisni puts the handles of an event: of the listener, of the identifier. */
  private final ByteBuffer answer =
      ByteBuffer.allocateDirect(ANSWER_BYTES).order(ByteOrder.nativeOrder());

  private final long answerAddress = Memory.addressOf(answer);

  NativeEventChannel(long handle) throws IOException {
    super(handle, 0);
  }

  @Override
  public void addCmId(NatCmaIdPrivate id) {
    identifiers.put(id.getObjId(), id);
  }

  @Override
  public @Nullable NatCmaIdPrivate getCmId(long handle) {
    return identifiers.get(handle);
  }

  void forget(NatCmaIdPrivate id) {
    identifiers.remove(id.getObjId(), id);
  }

  long answerAddress() {
    return answerAddress;
  }

  long listenerHandle() {
    return answer.getLong(0);
  }

  long identifierHandle() {
    return answer.getLong(Long.BYTES);
  }
}
