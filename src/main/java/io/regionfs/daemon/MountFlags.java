package io.regionfs.daemon;

import io.regionfs.fs.Coherence;
import io.regionfs.fs.Lifetime;
import io.regionfs.fuse.Transport;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What {@code -o} says, as mount(8) and /etc/fstab write it.
 *
 * @param allowOther users other than the one who mounted may use the mount
 * @param readOnly nothing can be changed through this mount
 * @param timeout how long a call waits for a host or service that is away before it fails; null:
 *     until it is back
 * @param transport how requests get from the kernel to the node
 * @param passThrough the kernel may use the memory of this host's files itself
 * @param coherence when mappings are brought up to date
 * @param lifetime how long files live that are made here
 * @param kernel flags that are the kernel's business: nosuid, nodev, noexec
 */
public record MountFlags(
    boolean allowOther,
    boolean readOnly,
    @Nullable Duration timeout,
    Transport transport,
    boolean passThrough,
    Coherence coherence,
    Lifetime lifetime,
    List<String> kernel) {
  private static final boolean PASS_THROUGH = true;
  static final MountFlags NONE =
      new MountFlags(
          false,
          false,
          null,
          Transport.AUTO,
          PASS_THROUGH,
          Coherence.OPEN,
          Lifetime.FILE,
          List.of());
  private static final Duration SOFT = Duration.ofSeconds(30);
  private static final Set<String> KERNEL = Set.of("nosuid", "nodev", "noexec");

  /** What is the default here, or means something only to mount(8). */
  private static final Set<String> WITHOUT_EFFECT =
      Set.of("rw", "defaults", "auto", "noauto", "_netdev", "nofail", "suid", "dev", "exec");

  public MountFlags {
    kernel = List.copyOf(kernel);
  }

  /**
   * @param options each a list separated by commas
   * @throws IllegalArgumentException that names the first unknown one
   */
  public static MountFlags parse(List<String> options) {
    boolean allowOther = false;
    boolean readOnly = false;
    boolean soft = false;
    Duration timeout = null;
    Transport transport = Transport.AUTO;
    boolean passThrough = PASS_THROUGH;
    Coherence coherence = Coherence.OPEN;
    Lifetime lifetime = Lifetime.FILE;
    Set<String> kernel = new LinkedHashSet<>();
    for (String option : String.join(",", options).split(",", -1)) {
      if (option.equals("allow_other")) {
        allowOther = true;
      } else if (option.equals("ro")) {
        readOnly = true;
      } else if (option.equals("soft")) {
        soft = true;
      } else if (option.startsWith("timeout=")) {
        timeout = seconds(option.substring("timeout=".length()));
      } else if (option.startsWith("transport=")) {
        transport = Transport.parse(option.substring("transport=".length()));
      } else if (option.equals("passthrough") || option.equals("nopassthrough")) {
        passThrough = option.equals("passthrough");
      } else if (option.startsWith("coherent=")) {
        coherence = Coherence.parse(option.substring("coherent=".length()));
      } else if (option.startsWith("lifetime=")) {
        lifetime = Lifetime.parse(option.substring("lifetime=".length()));
      } else if (KERNEL.contains(option)) {
        kernel.add(option);
      } else if (!option.isEmpty() && !WITHOUT_EFFECT.contains(option)) {
        throw new IllegalArgumentException(
            "unknown mount option '"
                + option
                + "' (known: allow_other, ro, soft, timeout=SECONDS, transport=NAME,"
                + " passthrough, nopassthrough, coherent=open|notify|none, lifetime=file|owner, nosuid, nodev, noexec)");
      }
    }
    return new MountFlags(
        allowOther,
        readOnly,
        soft && timeout == null ? SOFT : timeout,
        transport,
        passThrough,
        coherence,
        lifetime,
        List.copyOf(kernel));
  }

  private static Duration seconds(String text) {
    try {
      long seconds = Long.parseLong(text);
      if (seconds >= 1 && seconds <= 1_000_000) {
        return Duration.ofSeconds(seconds);
      }
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("timeout '" + text + "' is not a number of seconds", e);
    }
    throw new IllegalArgumentException("timeout '" + text + "' is not between 1 and 1000000");
  }

  /** What libfuse and mount(2) are told. */
  List<String> forKernel() {
    List<String> words = new ArrayList<>(kernel);
    if (readOnly) {
      words.add("ro");
    }
    return words;
  }

  /** As one {@code -o} list that {@link #parse} reads back; empty if nothing is set. */
  String text() {
    Set<String> words = new LinkedHashSet<>(kernel);
    if (allowOther) {
      words.add("allow_other");
    }
    if (readOnly) {
      words.add("ro");
    }
    if (timeout != null) {
      words.add("timeout=" + timeout.toSeconds());
    }
    if (transport != Transport.AUTO) {
      words.add("transport=" + transport.text());
    }
    if (passThrough != PASS_THROUGH) {
      words.add(passThrough ? "passthrough" : "nopassthrough");
    }
    if (lifetime != Lifetime.FILE) {
      words.add("lifetime=" + lifetime.text());
    }
    if (coherence != Coherence.OPEN) {
      words.add("coherent=" + coherence.text());
    }
    return String.join(",", words);
  }
}
