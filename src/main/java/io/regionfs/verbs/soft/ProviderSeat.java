package io.regionfs.verbs.soft;

import com.ibm.disni.verbs.RdmaProvider;
import java.lang.reflect.Field;
import org.jspecify.annotations.Nullable;

/**
 * The private place where DiSNI keeps the provider that the whole process runs on. Whoever looks
 * first and then takes it holds the monitor of RdmaProvider's class meanwhile, under which DiSNI
 * itself fills it.
 */
public final class ProviderSeat {
  private static final Field SEAT = seat();

  private ProviderSeat() {}

  private static Field seat() {
    try {
      Field seat = RdmaProvider.class.getDeclaredField("provider");
      seat.setAccessible(true);
      return seat;
    } catch (NoSuchFieldException e) {
      throw new IllegalStateException("this DiSNI has no seat for a provider", e);
    }
  }

  /** Null: nobody sits there, and DiSNI's first use would seat its own. */
  @SuppressWarnings("LockOnNonEnclosingClassLiteral") // DiSNI's lock
  public static @Nullable RdmaProvider provider() {
    synchronized (RdmaProvider.class) {
      try {
        return (RdmaProvider) SEAT.get(null);
      } catch (IllegalAccessException e) {
        throw new IllegalStateException("DiSNI's seat for a provider is closed", e);
      }
    }
  }

  @SuppressWarnings("LockOnNonEnclosingClassLiteral") // DiSNI's lock
  public static void take(@Nullable RdmaProvider provider) {
    synchronized (RdmaProvider.class) {
      try {
        SEAT.set(null, provider);
      } catch (IllegalAccessException e) {
        throw new IllegalStateException("DiSNI's seat for a provider is closed", e);
      }
    }
  }
}
