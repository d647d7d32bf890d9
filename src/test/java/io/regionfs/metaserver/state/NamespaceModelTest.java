package io.regionfs.metaserver.state;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.model.Errno;
import io.regionfs.proto.Attributes;
import io.regionfs.proto.Command;
import io.regionfs.proto.DirectoryEntry;
import io.regionfs.proto.FileType;
import io.regionfs.proto.Reply;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Random commands on the namespace and on a simple model of what POSIX says: the same errors, the
 * same tree, right link counts, no orphans; and a second namespace that is fed the same commands
 * ends in the same state.
 */
class NamespaceModelTest {
  private static final int COMMANDS = 20_000;
  private static final int NAMES = 5;
  private static final int NODES = 3;
  private static final int MAX_THINGS = 60;

  private final long seed = System.nanoTime();
  private final Random random = new Random(seed);
  private final Tree tree = new Tree();
  private final Map<Long, Thing> things = new TreeMap<>();
  private final Set<Long> dead = new TreeSet<>();
  private final List<Reply> replies = new ArrayList<>();

  /** An inode of the model. */
  private static final class Thing {
    final long id;
    final FileType type;
    final Map<String, Thing> children = new TreeMap<>();
    final Set<Integer> opens = new TreeSet<>();
    int names = 1;
    Thing parent;

    Thing(long id, FileType type, @Nullable Thing parent) {
      this.id = id;
      this.type = type;
      this.parent = parent == null ? this : parent;
    }

    boolean isDirectory() {
      return type == FileType.FILE_TYPE_DIRECTORY;
    }

    boolean isBelow(Thing other) {
      return this == other || (parent != this && parent.isBelow(other));
    }

    long links() {
      if (!isDirectory()) {
        return names;
      }
      return names == 0 ? 0 : 2 + children.values().stream().filter(Thing::isDirectory).count();
    }
  }

  @Test
  void behavesAsTheModel() {
    System.out.println("NamespaceModelTest: seed " + seed);
    things.put(Tree.ROOT, new Thing(Tree.ROOT, FileType.FILE_TYPE_DIRECTORY, null));
    for (int node = 1; node <= NODES; node++) {
      replies.add(tree.join("n" + node, node));
    }
    for (int i = 0; i < COMMANDS; i++) {
      step(i);
      if (i % 100 == 0) {
        compare(i);
      }
    }
    compare(COMMANDS);
    replay();
  }

  private void step(int i) {
    Thing directory = anything();
    String name = name();
    switch (random.nextInt(10)) {
      case 0, 1 -> create(directory, name);
      case 2 -> link(anything(), directory, name);
      case 3 -> remove(directory, name, false);
      case 4 -> remove(directory, name, true);
      case 5, 6, 7 -> rename(directory, name, anything(), name(), random.nextInt(4));
      case 8 -> open(anything());
      default -> {
        if (random.nextInt(20) == 0) {
          restart(1 + random.nextInt(NODES));
        } else {
          close(anything(), 1 + random.nextInt(NODES));
        }
      }
    }
    assertThat(things.size()).as("step %d", i).isLessThanOrEqualTo(MAX_THINGS + NAMES);
  }

  /** Mostly a directory. */
  private Thing anything() {
    List<Thing> all = new ArrayList<>(things.values());
    Thing thing = all.get(random.nextInt(all.size()));
    return thing.isDirectory() ? thing : all.get(random.nextInt(all.size()));
  }

  private String name() {
    return "name" + random.nextInt(NAMES);
  }

  private void expect(int errno, Reply reply, String what) {
    replies.add(reply);
    assertThat(reply.getErrno()).as("seed %d: %s: %s", seed, what, reply).isEqualTo(errno);
  }

  /** 0 if the thing can take and lose names. */
  private static int asDirectory(Thing thing) {
    if (!thing.isDirectory()) {
      return Errno.ENOTDIR.code();
    }
    return thing.names == 0 ? Errno.ENOENT.code() : 0;
  }

  private void create(Thing parent, String name) {
    if (things.size() >= MAX_THINGS) {
      return;
    }
    FileType type = FileType.forNumber(1 + random.nextInt(3));
    int errno = asDirectory(parent);
    if (errno == 0 && parent.children.containsKey(name)) {
      errno = Errno.EEXIST.code();
    }
    Reply reply = tree.create(Tree.creation(parent.id, name, type));
    expect(errno, reply, "create");
    if (errno == 0) {
      Thing made = new Thing(Tree.inode(reply), type, parent);
      parent.children.put(name, made);
      things.put(made.id, made);
    }
  }

  private void link(Thing thing, Thing parent, String name) {
    int errno = asDirectory(parent);
    if (thing.isDirectory()) {
      errno = Errno.EPERM.code();
    } else if (errno == 0 && parent.children.containsKey(name)) {
      errno = Errno.EEXIST.code();
    } else if (errno == 0 && thing.names == 0) {
      errno = Errno.ENOENT.code();
    }
    expect(errno, tree.link(thing.id, parent.id, name), "link");
    if (errno == 0) {
      parent.children.put(name, thing);
      thing.names++;
    }
  }

  private void remove(Thing parent, String name, boolean rmdir) {
    int errno = asDirectory(parent);
    Thing victim = parent.children.get(name);
    if (errno == 0) {
      if (victim == null) {
        errno = Errno.ENOENT.code();
      } else if (rmdir && !victim.isDirectory()) {
        errno = Errno.ENOTDIR.code();
      } else if (!rmdir && victim.isDirectory()) {
        errno = Errno.EISDIR.code();
      } else if (!victim.children.isEmpty()) {
        errno = Errno.ENOTEMPTY.code();
      }
    }
    Reply reply = rmdir ? tree.rmdir(parent.id, name) : tree.unlink(parent.id, name);
    expect(errno, reply, "remove");
    if (errno == 0 && victim != null) {
      parent.children.remove(name);
      lostName(victim, reply);
    }
  }

  private void lostName(Thing victim, Reply reply) {
    victim.names--;
    bury(victim, reply);
  }

  private void bury(Thing thing, Reply reply) {
    boolean gone = thing.names == 0 && thing.opens.isEmpty();
    boolean hasBytes = gone && thing.type == FileType.FILE_TYPE_FILE;
    assertThat(reply.getRemoval().getDeadInode()).isEqualTo(hasBytes ? thing.id : 0);
    if (gone) {
      things.remove(thing.id);
    }
    if (hasBytes) {
      dead.add(thing.id);
    }
  }

  private void rename(Thing from, String oldName, Thing to, String newName, int flags) {
    Thing moved = from.children.get(oldName);
    Thing target = to.children.get(newName);
    int errno = renameError(from, moved, to, target, flags);
    Reply reply = tree.rename(from.id, oldName, to.id, newName, flags);
    expect(errno, reply, "rename");
    if (errno != 0 || moved == null || moved == target) {
      return;
    }
    to.children.put(newName, moved);
    moved.parent = to;
    if (flags == 2 && target != null) {
      from.children.put(oldName, target);
      target.parent = from;
      return;
    }
    from.children.remove(oldName, moved);
    if (target != null) {
      lostName(target, reply);
    }
  }

  private static int renameError(
      Thing from, @Nullable Thing moved, Thing to, @Nullable Thing target, int flags) {
    if (flags == 3) {
      return Errno.EINVAL.code();
    }
    if (asDirectory(from) != 0 || asDirectory(to) != 0) {
      return asDirectory(from) != 0 ? asDirectory(from) : asDirectory(to);
    }
    if (moved == null) {
      return Errno.ENOENT.code();
    }
    if (moved.isDirectory() && to.isBelow(moved)) {
      return Errno.EINVAL.code();
    }
    if (flags == 2) {
      if (target == null) {
        return Errno.ENOENT.code();
      }
      return target.isDirectory() && from.isBelow(target) ? Errno.EINVAL.code() : 0;
    }
    if (target == null) {
      return 0;
    }
    if (flags == 1) {
      return Errno.EEXIST.code();
    }
    return moved == target ? 0 : replaceError(moved, target);
  }

  private static int replaceError(Thing moved, Thing target) {
    if (moved.isDirectory() != target.isDirectory()) {
      return moved.isDirectory() ? Errno.ENOTDIR.code() : Errno.EISDIR.code();
    }
    return target.children.isEmpty() ? 0 : Errno.ENOTEMPTY.code();
  }

  private void open(Thing thing) {
    int node = 1 + random.nextInt(NODES);
    boolean write = thing.type == FileType.FILE_TYPE_FILE && random.nextBoolean();
    expect(0, tree.open(thing.id, node, write), "open");
    thing.opens.add(node);
  }

  private void close(Thing thing, int node) {
    thing.opens.remove(node);
    Reply reply = tree.close(thing.id, node);
    expect(0, reply, "close");
    bury(thing, reply);
  }

  private void restart(int node) {
    expect(0, random.nextBoolean() ? tree.expire(node) : tree.join("n" + node, node), "restart");
    for (Thing thing : List.copyOf(things.values())) {
      if (thing.opens.remove(node)) {
        bury(thing, bytesOf(thing));
      }
    }
    expect(0, tree.join("n" + node, node), "join");
  }

  /** The removal that nobody was told, as a reply. */
  private static Reply bytesOf(Thing thing) {
    Reply.Builder reply = Reply.newBuilder();
    if (thing.names == 0 && thing.opens.isEmpty() && thing.type == FileType.FILE_TYPE_FILE) {
      reply.getRemovalBuilder().setDeadInode(thing.id);
    }
    return reply.build();
  }

  private void compare(int step) {
    String where = "seed " + seed + ", step " + step;
    assertThat(tree.namespace.inodes().count()).as(where).isEqualTo(things.size());
    assertThat(tree.namespace.inodes().dead(Tree.HOME, Integer.MAX_VALUE))
        .as(where)
        .containsExactlyElementsOf(dead);
    for (Thing thing : things.values()) {
      Attributes attributes = tree.attributes(thing.id);
      assertThat(attributes.getType()).as(where).isEqualTo(thing.type);
      assertThat((long) attributes.getLinks()).as(where).isEqualTo(thing.links());
      if (thing.isDirectory()) {
        compareEntries(where, thing);
      }
    }
  }

  private void compareEntries(String where, Thing directory) {
    Map<String, Long> expected =
        directory.children.entrySet().stream()
            .collect(Collectors.toMap(Map.Entry::getKey, entry -> entry.getValue().id));
    List<DirectoryEntry> entries = tree.list(directory.id);
    assertThat(entries.stream().map(DirectoryEntry::getCookie).toList()).as(where).isSorted();
    Set<Long> cookies = new HashSet<>();
    for (DirectoryEntry entry : entries) {
      String name = entry.getName().toStringUtf8();
      assertThat(cookies.add(entry.getCookie())).as(where).isTrue();
      assertThat(expected.remove(name)).as(where).isEqualTo(entry.getInode());
      assertThat(Tree.inode(tree.lookup(directory.id, name))).isEqualTo(entry.getInode());
    }
    assertThat(expected).as(where).isEmpty();
    assertThat(tree.page(directory.id, 0).getParent()).as(where).isEqualTo(directory.parent.id);
  }

  private void replay() {
    Namespace other = new Namespace();
    List<Reply> again = new ArrayList<>();
    for (Command command : tree.history) {
      again.add(other.apply(command));
    }
    assertThat(again.equals(replies)).as("the same replies, seed %d", seed).isTrue();
    assertThat(other.fingerprint()).as("seed %d", seed).isEqualTo(tree.namespace.fingerprint());
    other.apply(Command.getDefaultInstance());
    assertThat(other.fingerprint()).isNotEqualTo(tree.namespace.fingerprint());
  }
}
