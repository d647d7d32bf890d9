package io.regionfs.metaserver.state;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.regionfs.meta.Messages;
import io.regionfs.proto.Attributes;
import io.regionfs.proto.Command;
import io.regionfs.proto.DirectoryEntry;
import io.regionfs.proto.ListQuery;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Query;
import io.regionfs.proto.Reply;
import io.regionfs.proto.XattrQuery;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** What holds for the namespace after any commands. */
class NamespacePropertiesTest {
  @Provide
  Arbitrary<List<Command>> commands() {
    return RandomCommands.lists(150);
  }

  /** What a client can see of one inode. */
  private record View(
      Attributes attributes, List<DirectoryEntry> names, Map<ByteString, Reply> xattrs) {}

  private static Reply ask(Namespace namespace, Query.Builder query) {
    return namespace.query(query.build());
  }

  private static Map<Long, View> views(Namespace namespace) {
    Map<Long, View> views = new TreeMap<>();
    for (long inode = 1; inode <= namespace.lastInode(); inode++) {
      Reply attributes = ask(namespace, Query.newBuilder().setAttributesOf(inode));
      if (attributes.getErrno() == 0) {
        ListQuery list = ListQuery.newBuilder().setDirectory(inode).build();
        List<DirectoryEntry> names =
            ask(namespace, Query.newBuilder().setList(list)).getPage().getEntriesList();
        Map<ByteString, Reply> xattrs = new HashMap<>();
        Query.Builder namesOf = Query.newBuilder().setXattrNamesOf(inode);
        for (ByteString name : ask(namespace, namesOf).getNames().getNamesList()) {
          XattrQuery xattr = XattrQuery.newBuilder().setInode(inode).setName(name).build();
          xattrs.put(name, ask(namespace, Query.newBuilder().setXattr(xattr)));
        }
        views.put(inode, new View(attributes.getAttributes(), names, xattrs));
      }
    }
    return views;
  }

  @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
  void theSameCommandsGiveTheSameStateAndReplies(@ForAll("commands") List<Command> commands) {
    Namespace one = new Namespace();
    Namespace other = new Namespace();
    for (Command command : commands) {
      assertThat(one.apply(command)).isEqualTo(other.apply(command));
      assertThat(one.fingerprint()).isEqualTo(other.fingerprint());
    }
    assertThat(views(one)).isEqualTo(views(other));
    one.apply(Command.getDefaultInstance());
    assertThat(one.fingerprint()).as("one command more").isNotEqualTo(other.fingerprint());
  }

  @Property(tries = 200, edgeCases = EdgeCasesMode.NONE)
  void changesNameExactlyWhatLooksDifferent(@ForAll("commands") List<Command> commands) {
    Namespace namespace = new Namespace();
    for (Command command : commands) {
      Map<Long, View> before = views(namespace);
      namespace.apply(command);
      Map<Long, View> after = views(namespace);
      Set<Long> expected =
          before.entrySet().stream()
              .filter(entry -> !entry.getValue().equals(after.get(entry.getKey())))
              .map(Map.Entry::getKey)
              .collect(Collectors.toSet());
      Set<Long> noted = new HashSet<>();
      for (int i = 0; i < namespace.changes().count(); i++) {
        noted.add(namespace.changes().inode(i));
      }
      assertThat(noted).as("%s", command).isEqualTo(expected);
    }
  }

  /** Each command comes again later, with another stamp, number or even operation. */
  @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
  void aRepeatedCommandGetsItsFirstAnswer(@ForAll("commands") List<Command> commands) {
    Namespace namespace = new Namespace();
    namespace.apply(Tree.openSession(99));
    Map<Long, Reply> first = new HashMap<>();
    long sequence = 0;
    for (Command command : commands) {
      if (command.getOperation().hasOpenSession()) {
        continue; // refused, it leaves no session in which its answer could be kept
      }
      Command numbered =
          command.toBuilder().setClientId(99).setSequence(++sequence).setAcknowledged(0).build();
      first.put(sequence, namespace.apply(numbered));
      long again = (sequence + 1) / 2;
      long before = namespace.fingerprint();
      Reply reply = namespace.apply(numbered.toBuilder().setSequence(again).build());
      assertThat(namespace.answered(99, again)).isEqualTo(reply);
      assertThat(reply).isEqualTo(first.get(again));
      assertThat(namespace.fingerprint()).isEqualTo(before);
      assertThat(namespace.changes().count()).isZero();
    }
  }

  @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
  void timesNeverRunBackwards(@ForAll("commands") List<Command> commands) {
    Namespace namespace = new Namespace();
    Map<Long, Attributes> last = new HashMap<>();
    for (Command command : commands) {
      namespace.apply(command);
      Operation operation = command.getOperation();
      // The home's time of the last write counts, be it earlier: see utimensat(2).
      boolean settles = operation.hasSettle() || operation.hasClose() || operation.hasCloseFiles();
      views(namespace)
          .forEach(
              (inode, view) -> {
                Attributes now = view.attributes;
                Attributes then = last.put(inode, now);
                if (then != null && inode != Tree.ROOT) {
                  assertThat(now.getBtime()).isEqualTo(then.getBtime());
                }
                if (then != null) {
                  assertThat(nanos(now.getCtime())).isGreaterThanOrEqualTo(nanos(then.getCtime()));
                  assertThat(nanos(now.getAtime())).isGreaterThanOrEqualTo(nanos(then.getAtime()));
                  assertThat(settles || nanos(now.getMtime()) >= nanos(then.getMtime())).isTrue();
                }
              });
    }
  }

  private static long nanos(io.regionfs.proto.Time time) {
    return Messages.nanos(time);
  }

  @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
  void accessListsAndModesAgree(@ForAll("commands") List<Command> commands) {
    Namespace namespace = new Namespace();
    for (Command command : commands) {
      namespace.apply(command);
      for (long id = Tree.ROOT; id <= namespace.lastInode(); id++) {
        Inode inode = namespace.inodes().find(id);
        if (inode == null || inode.xattrs == null) {
          continue;
        }
        ByteString list = inode.xattrs.get(Acl.ACCESS);
        if (list != null) {
          Acl acl = Acl.parse(list);
          assertThat(acl.isMode()).isFalse();
          assertThat(acl.mode(inode.mode())).isEqualTo(inode.mode());
        }
      }
    }
  }

  /** A directory's links are its subdirectories, a file's its names; nothing is out of reach. */
  @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
  void theTreeIsWhole(@ForAll("commands") List<Command> commands) {
    Namespace namespace = new Namespace();
    commands.forEach(namespace::apply);
    Map<Long, View> views = views(namespace);
    assertThat(namespace.inodes().count()).isEqualTo(views.size());
    Map<Long, Integer> names = new HashMap<>();
    for (Map.Entry<Long, View> entry : views.entrySet()) {
      int subdirectories = 0;
      for (DirectoryEntry name : entry.getValue().names) {
        View child = Objects.requireNonNull(views.get(name.getInode()), "inode behind a name");
        assertThat(child.attributes.getType()).isEqualTo(name.getType());
        names.merge(name.getInode(), 1, Integer::sum);
        subdirectories += isDirectory(child) ? 1 : 0;
      }
      if (isDirectory(entry.getValue()) && entry.getValue().attributes.getLinks() > 0) {
        assertThat(entry.getValue().attributes.getLinks()).isEqualTo(2 + subdirectories);
      }
    }
    views.forEach((inode, view) -> checkNames(namespace, inode, view, names));
  }

  private static boolean isDirectory(View view) {
    return view.attributes.getType() == io.regionfs.proto.FileType.FILE_TYPE_DIRECTORY;
  }

  private static void checkNames(
      Namespace namespace, long inode, View view, Map<Long, Integer> names) {
    int count = names.getOrDefault(inode, 0) + (inode == Tree.ROOT ? 1 : 0);
    if (isDirectory(view)) {
      assertThat(count).isEqualTo(view.attributes.getLinks() == 0 ? 0 : 1);
    } else {
      assertThat(count).isEqualTo(view.attributes.getLinks());
    }
    Inode internal = namespace.inodes().get(inode);
    assertThat(count > 0 || internal.opens != null).as("inode %d is dead", inode).isTrue();
  }

  /** All names by their full path, and what is behind them. */
  private static Map<String, Attributes> paths(Namespace namespace) {
    Map<String, Attributes> paths = new TreeMap<>();
    Map<Long, View> views = views(namespace);
    List<Map.Entry<String, Long>> todo = new ArrayList<>(List.of(Map.entry("", Tree.ROOT)));
    while (!todo.isEmpty()) {
      Map.Entry<String, Long> next = todo.remove(todo.size() - 1);
      View view = Objects.requireNonNull(views.get(next.getValue()));
      paths.put(next.getKey(), view.attributes);
      for (DirectoryEntry name : view.names) {
        todo.add(Map.entry(next.getKey() + "/" + name.getName().toStringUtf8(), name.getInode()));
      }
    }
    return paths;
  }

  @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
  void namesFollowTheModel(@ForAll("commands") List<Command> commands) {
    Namespace namespace = new Namespace();
    PathModel model = new PathModel();
    for (Command command : commands) {
      Command alone = command.toBuilder().setClientId(0).build();
      if (Acl.isName(alone.getOperation().getSetXattr().getName())) {
        continue; // modes follow lists: see below
      }
      long before = namespace.lastInode();
      Reply reply = namespace.apply(alone);
      if (reply.getErrno() == 0) {
        model.apply(alone.getOperation(), before + 1);
      }
      Map<String, Long> seen = new TreeMap<>();
      paths(namespace).forEach((path, attributes) -> seen.put(path, attributes.getInode()));
      assertThat(seen).as("after %s", alone).isEqualTo(model.paths());
      paths(namespace)
          .values()
          .forEach(
              attributes ->
                  assertThat(List.of(attributes.getMode(), attributes.getUid()))
                      .isEqualTo(model.modeAndOwner(attributes.getInode())));
    }
  }
}
