package io.regionfs.metaserver.state;

import io.regionfs.proto.FileLock;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which owner waits for which, over all inodes: for whoever holds what stands against its request,
 * and for those whose turn comes before. Derived from the locks of the inodes; so it is no part of
 * the state that replicas compare.
 */
final class WaitsFor {
  private final Map<LockOwner, List<Wait>> waits = new HashMap<>();

  private record Wait(InodeLocks locks, FileLock request) {}

  void added(InodeLocks locks, FileLock request) {
    waits
        .computeIfAbsent(LockOwner.of(request), owner -> new ArrayList<>(1))
        .add(new Wait(locks, request));
  }

  void removed(FileLock request) {
    waits.computeIfPresent(
        LockOwner.of(request),
        (owner, list) -> {
          list.removeIf(
              wait ->
                  wait.request.getRequest() == request.getRequest()
                      && wait.request.getInode() == request.getInode());
          return list.isEmpty() ? null : list;
        });
  }

  /** Whether this owner waits, through others or not, for the other one. */
  boolean reaches(LockOwner from, LockOwner to) {
    if (from.equals(to)) {
      return true;
    }
    Set<LockOwner> seen = new HashSet<>();
    Deque<LockOwner> open = new ArrayDeque<>();
    seen.add(from);
    open.add(from);
    while (!open.isEmpty()) {
      for (Wait wait : waits.getOrDefault(open.remove(), List.of())) {
        for (LockOwner next : obstacles(wait)) {
          if (next.equals(to)) {
            return true;
          }
          if (seen.add(next)) {
            open.add(next);
          }
        }
      }
    }
    return false;
  }

  private static List<LockOwner> obstacles(Wait wait) {
    List<LockOwner> owners = new ArrayList<>();
    wait.locks.conflicting(wait.request, owners::add);
    for (FileLock earlier : wait.locks.waiting()) {
      if (earlier.equals(wait.request)) {
        break;
      }
      if (InodeLocks.conflict(earlier, wait.request)) {
        owners.add(LockOwner.of(earlier));
      }
    }
    return owners;
  }
}
