package io.regionfs.fuse;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.regionfs.fs.FileSystem;
import io.regionfs.fs.OpenFile;
import io.regionfs.model.Attributes;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.model.Name;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * One host's view of a filesystem that several hosts change. Every host has a lease on everything
 * that nobody writes to, and recalls from all others what it changes; whoever asks meanwhile waits.
 */
final class LeasedHost implements InvocationHandler {
  private static final Set<String> QUERIES =
      Set.of("lookup", "attributes", "readLink", "xattr", "xattrNames", "openDirectory", "statFs");

  /** What all hosts share; its monitor is held by every query and change. */
  static final class Shared {
    final MemoryFileSystem fileSystem = new MemoryFileSystem();
    private final List<LeasedHost> hosts = new ArrayList<>();
    private final Map<InodeId, Integer> writers = new HashMap<>();

    LeasedHost newHost() {
      LeasedHost host = new LeasedHost(this);
      hosts.add(host);
      return host;
    }
  }

  /** For tests of what it does with names; others it may not keep. */
  static void assumeThatTheKernelKeepsNames() {
    String[] version = System.getProperty("os.version").split("[^0-9]+", 3);
    int major = Integer.parseInt(version[0]);
    assumeTrue(
        major > 6 || (major == 6 && Integer.parseInt(version[1]) >= 16),
        "skipped: this kernel cannot forget names (Linux 6.16 can)");
  }

  volatile long leaseNanos = 20_000_000_000L;
  private volatile FileSystem.@Nullable ForgetListener listener;
  private final Map<String, AtomicInteger> calls = new ConcurrentHashMap<>();
  private final Shared shared;

  private LeasedHost(Shared shared) {
    this.shared = shared;
  }

  FileSystem fileSystem() {
    return (FileSystem)
        Proxy.newProxyInstance(
            getClass().getClassLoader(), new Class<?>[] {FileSystem.class}, this);
  }

  /** Who keeps what it was told. */
  FileSystem.ForgetListener listener() {
    return Objects.requireNonNull(listener);
  }

  /** How often names and attributes were asked for. */
  int asked() {
    return count("lookup").get() + count("attributes").get();
  }

  private AtomicInteger count(String call) {
    return calls.computeIfAbsent(call, key -> new AtomicInteger());
  }

  @Override
  public @Nullable Object invoke(Object proxy, Method method, @Nullable Object @Nullable [] args)
      throws Throwable {
    Object[] given = args == null ? new Object[0] : args;
    switch (method.getName()) {
      case "onForget" -> {
        listener = (FileSystem.ForgetListener) given[0];
        return null;
      }
      case "newBuffer" -> {
        return call(method, given);
      }
      case "leasedNanos" -> {
        synchronized (shared) {
          return shared.writers.containsKey(given[0]) ? 0 : leaseNanos;
        }
      }
      default -> {}
    }
    count(method.getName()).incrementAndGet();
    synchronized (shared) {
      return QUERIES.contains(method.getName()) ? call(method, given) : change(method, given);
    }
  }

  private @Nullable Object change(Method method, Object[] given) throws Throwable {
    List<InodeId> touched = touched(given);
    touched.forEach(this::forget);
    Object result = call(method, given);
    if (result instanceof Attributes made) {
      touched.add(made.inode());
    } else if (result instanceof FileSystem.Created created) {
      touched.add(created.attributes().inode());
      result =
          new FileSystem.Created(
              created.attributes(), watched(created.file(), created.attributes().inode()));
    } else if (result instanceof OpenFile file && ((int) given[1] & 3) != 0) {
      result = watched(file, (InodeId) given[0]);
    }
    touched.forEach(inode -> shared.hosts.forEach(host -> host.forget(inode)));
    return result;
  }

  /** The inodes that are named, by number or in a directory. */
  private List<InodeId> touched(Object[] given) {
    List<InodeId> touched = new ArrayList<>();
    for (int i = 0; i < given.length; i++) {
      if (given[i] instanceof InodeId inode) {
        touched.add(inode);
        if (i + 1 < given.length && given[i + 1] instanceof Name name) {
          named(inode, name).ifPresent(touched::add);
        }
      }
    }
    return touched;
  }

  private Optional<InodeId> named(InodeId directory, Name name) {
    try {
      return Optional.of(shared.fileSystem.lookup(directory, name).inode());
    } catch (FsException e) {
      return Optional.empty(); // it is to be made
    }
  }

  private void forget(InodeId inode) {
    FileSystem.ForgetListener told = listener;
    if (told != null) {
      told.forget(inode);
    }
  }

  /** A file that is open for writing: not leased until it is closed. */
  private OpenFile watched(OpenFile file, InodeId inode) {
    shared.writers.merge(inode, 1, Integer::sum);
    return (OpenFile)
        Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {OpenFile.class},
            (proxy, method, args) -> {
              Object result = invoke(method, file, args);
              if (method.getName().equals("close")) {
                synchronized (shared) {
                  shared.writers.computeIfPresent(inode, (key, n) -> n == 1 ? null : n - 1);
                  shared.hosts.forEach(host -> host.forget(inode));
                }
              }
              return result;
            });
  }

  private @Nullable Object call(Method method, Object[] given) throws Throwable {
    return invoke(method, shared.fileSystem, given);
  }

  private static @Nullable Object invoke(Method method, Object target, Object @Nullable [] args)
      throws Throwable {
    try {
      return method.invoke(target, args);
    } catch (InvocationTargetException e) {
      throw Objects.requireNonNullElse(e.getCause(), e);
    }
  }
}
