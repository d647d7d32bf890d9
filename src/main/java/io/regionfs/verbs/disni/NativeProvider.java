package io.regionfs.verbs.disni;

import com.ibm.disni.verbs.RdmaCm;
import com.ibm.disni.verbs.RdmaProvider;
import com.ibm.disni.verbs.RdmaVerbs;
import com.ibm.disni.verbs.impl.NativeDispatcher;
import com.ibm.disni.verbs.impl.RdmaProviderNat;
import io.regionfs.verbs.soft.DisniClasses;
import io.regionfs.verbs.soft.ProviderSeat;
import java.io.IOException;
import java.lang.reflect.Field;

/**
 * DiSNI's native provider, with what its Java side gets wrong put right in one place, for the
 * fabric and for DaRPC: identifiers that are never forgotten, an unsynchronised map of them, error
 * completions without their queue pair.
 */
final class NativeProvider extends RdmaProvider {
  private final RdmaProviderNat original;
  private final RdmaCm connections;
  private final RdmaVerbs verbs;

  private NativeProvider() throws IOException, ReflectiveOperationException {
    original = new RdmaProviderNat();
    Field field = RdmaProviderNat.class.getDeclaredField("nativeDispatcher");
    field.setAccessible(true);
    NativeDispatcher library = (NativeDispatcher) field.get(original);
    connections = new NativeCm(library);
    verbs = new NativeCompletions(library);
  }

  /**
   * Makes DiSNI use this provider, unless it has one already.
   *
   * @throws LinkageError if there is no libdisni, or not the right one
   */
  @SuppressWarnings("LockOnNonEnclosingClassLiteral") // the lock under which DiSNI fills the seat
  static void seat() throws IOException {
    synchronized (RdmaProvider.class) {
      if (ProviderSeat.provider() != null) {
        return;
      }
      try {
        DisniClasses.define();
        ProviderSeat.take(new NativeProvider());
      } catch (ReflectiveOperationException e) {
        throw new IOException("this DiSNI hides its native functions", e);
      }
    }
  }

  @Override
  public RdmaCm openCm() {
    return connections;
  }

  @Override
  public RdmaVerbs openVerbs() {
    return verbs;
  }

  @Override
  public int getVersion() {
    return original.getVersion();
  }
}
