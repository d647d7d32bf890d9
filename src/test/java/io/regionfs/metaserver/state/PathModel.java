package io.regionfs.metaserver.state;

import io.regionfs.proto.Create;
import io.regionfs.proto.Link;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Remove;
import io.regionfs.proto.Rename;
import io.regionfs.proto.SetAttributes;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;

/** Names as a table of (directory, name) to inode, and what chmod and chown last said. */
final class PathModel {
  private record Key(long directory, String name) {}

  private final Map<Key, Long> names = new HashMap<>();
  private final Map<Long, Integer> homes = new HashMap<>();

  /** Files that live as long as a process. */
  private final Set<Long> exported = new HashSet<>();

  private final Map<Long, List<Integer>> modeAndOwner =
      new HashMap<>(Map.of(Tree.ROOT, List.of(0755, 0)));

  /**
   * The operation was carried out.
   *
   * @param next the number of an inode that it made
   */
  void apply(Operation operation, long next) {
    switch (operation.getOperationCase()) {
      case CREATE -> {
        Create create = operation.getCreate();
        names.put(new Key(create.getParent(), create.getName().toStringUtf8()), next);
        modeAndOwner.put(next, List.of(create.getMode(), create.getUid()));
        homes.put(next, create.getHome());
        if (create.hasExporter()) {
          exported.add(next);
        }
      }
      case EXPORT_FILE -> {
        long inode = operation.getExportFile().getInode();
        exported.remove(inode);
        if (operation.getExportFile().hasExporter()) {
          exported.add(inode);
        }
      }
      case END_EXPORT -> end(operation.getEndExport());
      case EXPIRE_NODE -> {
        int home = operation.getExpireNode().getNode();
        Set.copyOf(exported).stream()
            .filter(i -> Objects.equals(homes.get(i), home))
            .forEach(this::end);
      }
      case LINK -> {
        Link link = operation.getLink();
        names.put(new Key(link.getParent(), link.getName().toStringUtf8()), link.getInode());
      }
      case REMOVE -> {
        Remove remove = operation.getRemove();
        names.remove(new Key(remove.getParent(), remove.getName().toStringUtf8()));
      }
      case RENAME -> rename(operation.getRename());
      case SET_ATTRIBUTES -> change(operation.getSetAttributes());
      case FOUND ->
          modeAndOwner.computeIfPresent(
              Tree.ROOT, (root, old) -> List.of(old.get(0), founded(operation, old.get(1))));
      default -> {
        // Changes no names.
      }
    }
  }

  private void end(long inode) {
    if (exported.remove(inode)) {
      names.values().removeIf(named -> named == inode);
    }
  }

  private boolean isFounded;

  private int founded(Operation operation, int old) {
    boolean first = !isFounded;
    isFounded = true;
    return first ? operation.getFound().getUid() : old;
  }

  private void rename(Rename rename) {
    Key from = new Key(rename.getOldParent(), rename.getOldName().toStringUtf8());
    Key to = new Key(rename.getNewParent(), rename.getNewName().toStringUtf8());
    long moved = Objects.requireNonNull(names.get(from));
    Long replaced = names.get(to);
    if (replaced != null && replaced == moved) {
      return; // two names of one file stay: rename(2)
    }
    names.put(to, moved);
    if (rename.getFlags() == 2 && replaced != null) {
      names.put(from, replaced);
    } else {
      names.remove(from);
    }
  }

  private void change(SetAttributes change) {
    List<Integer> old = modeAndOwner(change.getInode());
    modeAndOwner.put(
        change.getInode(),
        List.of(
            change.hasMode() ? change.getMode() : old.get(0),
            change.hasUid() ? change.getUid() : old.get(1)));
  }

  List<Integer> modeAndOwner(long inode) {
    return Objects.requireNonNull(modeAndOwner.get(inode));
  }

  /** Every path from the root, which is the empty one. */
  Map<String, Long> paths() {
    Map<String, Long> paths = new TreeMap<>(Map.of("", Tree.ROOT));
    addBelow("", Tree.ROOT, paths);
    return paths;
  }

  private void addBelow(String path, long directory, Map<String, Long> paths) {
    names.forEach(
        (key, inode) -> {
          if (key.directory == directory) {
            paths.put(path + "/" + key.name, inode);
            addBelow(path + "/" + key.name, inode, paths);
          }
        });
  }
}
