package io.regionfs.fs;

import io.regionfs.meta.Metadata;
import io.regionfs.meta.NewInode;
import io.regionfs.model.Attributes;
import io.regionfs.model.InodeId;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** One node's metadata: knows what the service holds open for the node, and can step in. */
final class WatchedMetadata implements InvocationHandler {
  /** Something that happens, once, before or after a call of this name; it may throw. */
  record Trap(String call, boolean after, Runnable action) {}

  final AtomicReference<@Nullable Trap> trap = new AtomicReference<>();

  /** Not 0: what the node says of its leases. */
  volatile long leasedNanos;

  private final Metadata service;
  private final Set<InodeId> opens = ConcurrentHashMap.newKeySet();
  private final Set<InodeId> sessions = ConcurrentHashMap.newKeySet();

  WatchedMetadata(Metadata service) {
    this.service = service;
  }

  Metadata metadata() {
    return (Metadata)
        Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {Metadata.class}, this);
  }

  boolean isOpen(InodeId inode) {
    return opens.contains(inode);
  }

  boolean isInSession(InodeId inode) {
    return sessions.contains(inode);
  }

  /** What was open at the service is not any more. */
  void forget() {
    opens.clear();
    sessions.clear();
  }

  @Override
  public @Nullable Object invoke(Object proxy, Method method, @Nullable Object @Nullable [] args)
      throws Throwable {
    if (method.getName().equals("leasedNanos") && leasedNanos != 0) {
      return leasedNanos;
    }
    spring(method.getName(), false);
    Object result;
    try {
      result = method.invoke(service, args);
    } catch (InvocationTargetException e) {
      throw Objects.requireNonNullElse(e.getCause(), e);
    }
    note(method.getName(), args, result);
    spring(method.getName(), true);
    return result;
  }

  private void spring(String call, boolean after) {
    Trap set = trap.get();
    if (set != null
        && set.call.equals(call)
        && set.after == after
        && trap.compareAndSet(set, null)) {
      set.action.run();
    }
  }

  private void note(String call, @Nullable Object @Nullable [] args, @Nullable Object result) {
    if (args == null) {
      return;
    }
    if (args[0] instanceof List<?> closings) {
      for (Object closing : closings) {
        if (closing instanceof Metadata.Closing one) {
          opens.remove(one.inode());
        }
      }
    } else if (args[0] instanceof NewInode made && result instanceof Attributes attributes) {
      if (made.open()) {
        opened(attributes.inode(), made.openForWrite());
      }
    } else if (args[0] instanceof InodeId inode) {
      switch (call) {
        case "open" -> opened(inode, Boolean.TRUE.equals(args[1]));
        case "closeWrite" -> sessions.remove(inode);
        case "close" -> {
          opens.remove(inode);
          sessions.remove(inode);
        }
        default -> {}
      }
    }
  }

  private void opened(InodeId inode, boolean write) {
    opens.add(inode);
    if (write) {
      sessions.add(inode);
    }
  }
}
