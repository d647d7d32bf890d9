package io.regionfs.rpc.darpc;

import com.ibm.darpc.DaRPCEndpoint;
import com.ibm.disni.verbs.StatefulVerbCall;
import io.regionfs.posix.Memory;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The memory that DaRPC allocates for an endpoint and keeps to itself: about a MiB of buffers, left
 * to the garbage collector, and prepared calls, which are never freed. Connections that come and go
 * would make the process grow by all that; so it is taken out of DaRPC's private fields.
 */
final class EndpointMemory {
  private EndpointMemory() {}

  /**
   * The endpoint's queue pair is destroyed, its memory deregistered, and nobody uses it any more.
   */
  static void free(DaRPCEndpoint<?, ?> endpoint) {
    freeCalls(endpoint, "sendCall");
    freeCalls(endpoint, "recvCall");
    Field field = field("dataBuffer");
    ByteBuffer buffer = (ByteBuffer) get(field, endpoint);
    if (buffer != null) {
      set(field, endpoint, null);
      Memory.free(buffer);
    }
  }

  private static void freeCalls(DaRPCEndpoint<?, ?> endpoint, String name) {
    Object[] calls = (Object[]) get(field(name), endpoint);
    for (int i = 0; calls != null && i < calls.length; i++) {
      if (calls[i] instanceof StatefulVerbCall<?> call) {
        call.free();
        calls[i] = null;
      }
    }
  }

  private static Field field(String name) {
    try {
      Field field = DaRPCEndpoint.class.getDeclaredField(name);
      field.setAccessible(true);
      return field;
    } catch (NoSuchFieldException e) {
      throw new IllegalStateException("this DaRPC keeps its memory elsewhere", e);
    }
  }

  private static @Nullable Object get(Field field, DaRPCEndpoint<?, ?> endpoint) {
    try {
      return field.get(endpoint);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void set(Field field, DaRPCEndpoint<?, ?> endpoint, @Nullable Object value) {
    try {
      field.set(endpoint, value);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(e);
    }
  }
}
