package io.regionfs.metaserver.state;

import static io.regionfs.metaserver.state.Tree.bytes;

import com.google.protobuf.ByteString;
import io.regionfs.meta.Messages;
import io.regionfs.proto.AddNode;
import io.regionfs.proto.AddReplica;
import io.regionfs.proto.Close;
import io.regionfs.proto.CloseFiles;
import io.regionfs.proto.Command;
import io.regionfs.proto.Dropped;
import io.regionfs.proto.EndLocks;
import io.regionfs.proto.EndSessions;
import io.regionfs.proto.ExpireNode;
import io.regionfs.proto.ExportFile;
import io.regionfs.proto.Exporter;
import io.regionfs.proto.FileLock;
import io.regionfs.proto.FileType;
import io.regionfs.proto.Found;
import io.regionfs.proto.Link;
import io.regionfs.proto.LockKind;
import io.regionfs.proto.Open;
import io.regionfs.proto.OpenSession;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Remove;
import io.regionfs.proto.RemoveXattr;
import io.regionfs.proto.Rename;
import io.regionfs.proto.SetAttributes;
import io.regionfs.proto.SetXattr;
import io.regionfs.proto.Settle;
import io.regionfs.proto.Time;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.RandomDistribution;
import net.jqwik.api.Tuple;

/**
 * Commands of all kinds about few things, so that they meet: 30 inodes, four names, three nodes,
 * two clients. The clock jumps by an hour, forth and back.
 */
final class RandomCommands {
  private static final int NODES = 3;
  private static final long SECOND = 1_000_000_000L;
  private static final long HOUR = 3_600 * SECOND;
  private static final long DAY = 24 * HOUR;
  private static final Arbitrary<Long> INODE =
      Arbitraries.frequencyOf(
          Tuple.of(2, Arbitraries.longs().between(1, 6)),
          Tuple.of(2, Arbitraries.longs().between(7, 14)),
          Tuple.of(1, Arbitraries.longs().between(15, 30)));
  private static final Arbitrary<ByteString> NAME =
      Arbitraries.of("a", "b", "c", "d").map(Tree::bytes);
  private static final Arbitrary<Integer> NODE = Arbitraries.integers().between(1, NODES);
  private static final Arbitrary<Boolean> FLAG = Arbitraries.of(true, false);
  private static final Arbitrary<Integer> NUMBER = Arbitraries.integers().between(0, 5);

  /** Directories first: most commands need one. */
  private static final Arbitrary<Long> PARENT =
      Arbitraries.frequencyOf(
          Tuple.of(3, Arbitraries.just(Tree.ROOT)),
          Tuple.of(4, Arbitraries.of(2L, 3L)),
          Tuple.of(1, INODE));

  private static final List<Command> BEGINNING = beginning();

  private RandomCommands() {}

  /**
   * Begins with three members, two directories and a file, so that there is something to change.
   */
  static Arbitrary<List<Command>> lists(int size) {
    return commands()
        .list()
        .ofMaxSize(size)
        .withSizeDistribution(RandomDistribution.uniform())
        .map(
            commands -> {
              List<Command> all = new ArrayList<>(BEGINNING);
              all.addAll(commands);
              return all;
            });
  }

  private static List<Command> beginning() {
    Tree tree = new Tree();
    tree.run(Tree.openSession(7));
    tree.run(Tree.openSession(-8));
    for (int node = 1; node <= NODES; node++) {
      tree.join("n" + node, node);
    }
    tree.directory(Tree.ROOT, "a");
    tree.directory(2, "b");
    tree.file(Tree.ROOT, "c");
    return List.copyOf(tree.history);
  }

  static Arbitrary<Command> commands() {
    Arbitrary<Long> stamps =
        Arbitraries.frequencyOf(
            Tuple.of(
                8,
                Arbitraries.longs().between(1, 50).map(seconds -> 100 * HOUR + seconds * SECOND)),
            Tuple.of(1, Arbitraries.of(99 * HOUR, 101 * HOUR)),
            Tuple.of(1, Arbitraries.of(0L, 100 * HOUR + 3 * DAY)));
    Arbitrary<Long> sequences = Arbitraries.longs().between(1, 100);
    return Combinators.combine(
            operations(), stamps, Arbitraries.of(0L, 0L, 0L, 7L, -8L), sequences, NUMBER)
        .as(
            (operation, stamp, client, sequence, back) ->
                Command.newBuilder()
                    .setStamp(Messages.time(stamp))
                    .setClientId(client)
                    .setSequence(client == 0 ? 0 : sequence)
                    .setAcknowledged(client == 0 ? 0 : Math.max(0, sequence - 3 - back))
                    .setOperation(operation)
                    .build());
  }

  static Arbitrary<Operation> operations() {
    return Arbitraries.frequencyOf(
        Tuple.of(12, names()),
        Tuple.of(8, opens()),
        Tuple.of(8, locks()),
        Tuple.of(4, attributes()),
        Tuple.of(3, exports()),
        Tuple.of(1, service()));
  }

  private static Arbitrary<Operation> names() {
    Arbitrary<Operation> create =
        Combinators.combine(PARENT, NAME, Arbitraries.of(1, 1, 2, 2, 3), NODE, NUMBER)
            .as(
                (parent, name, type, home, open) -> {
                  FileType kind = FileType.forNumber(type);
                  var made = Tree.creation(parent, name.toStringUtf8(), kind).setUid(home);
                  if (kind == FileType.FILE_TYPE_FILE) {
                    made.setHome(home);
                    if (open == 4) {
                      made.setExporter(Exporter.newBuilder().setPid(9).setStart(1));
                    }
                    if (open < 3) {
                      made.setOpenBy(home).setOpenForWrite(open > 0);
                    }
                  }
                  return Operation.newBuilder().setCreate(made).build();
                });
    Arbitrary<Operation> link =
        Combinators.combine(INODE, PARENT, NAME)
            .as(
                (inode, parent, name) ->
                    Operation.newBuilder()
                        .setLink(Link.newBuilder().setInode(inode).setParent(parent).setName(name))
                        .build());
    Arbitrary<Operation> remove =
        Combinators.combine(PARENT, NAME, FLAG)
            .as(
                (parent, name, directory) ->
                    Operation.newBuilder()
                        .setRemove(
                            Remove.newBuilder()
                                .setParent(parent)
                                .setName(name)
                                .setDirectory(directory))
                        .build());
    Arbitrary<Operation> rename =
        Combinators.combine(PARENT, NAME, PARENT, NAME, Arbitraries.of(0, 0, 0, 1, 2, 2))
            .as(
                (from, old, to, name, flags) ->
                    Operation.newBuilder()
                        .setRename(
                            Rename.newBuilder()
                                .setOldParent(from)
                                .setOldName(old)
                                .setNewParent(to)
                                .setNewName(name)
                                .setFlags(flags))
                        .build());
    return Arbitraries.frequencyOf(
        Tuple.of(4, create), Tuple.of(1, link), Tuple.of(2, remove), Tuple.of(2, rename));
  }

  private static Arbitrary<Time> times() {
    return Arbitraries.of(-1, 0, 1, 40).map(seconds -> Messages.time(100 * HOUR + seconds * HOUR));
  }

  private static Arbitrary<Settle> values() {
    return Combinators.combine(INODE, NUMBER, times(), times())
        .as(
            (inode, size, mtime, ctime) ->
                Settle.newBuilder()
                    .setInode(inode)
                    .setSize(size)
                    .setAllocatedBytes(size)
                    .setMtime(mtime)
                    .setCtime(ctime)
                    .build());
  }

  private static Arbitrary<Operation> opens() {
    Arbitrary<Operation> open =
        Combinators.combine(INODE, NODE, FLAG)
            .as(
                (inode, node, write) ->
                    Operation.newBuilder()
                        .setOpen(Open.newBuilder().setInode(inode).setNode(node).setWrite(write))
                        .build());
    Arbitrary<Operation> close =
        Combinators.combine(values(), NODE, FLAG, FLAG, times().injectNull(0.5))
            .as(
                (values, node, write, settled, atime) -> {
                  Close.Builder made =
                      Close.newBuilder().setInode(values.getInode()).setNode(node).setWrite(write);
                  if (settled) {
                    made.setSettled(values);
                  }
                  if (atime != null) {
                    made.setAtime(atime);
                  }
                  return Operation.newBuilder().setClose(made).build();
                });
    Arbitrary<Operation> settle =
        values().map(values -> Operation.newBuilder().setSettle(values).build());
    Arbitrary<Operation> closeFiles =
        close
            .map(Operation::getClose)
            .list()
            .ofMaxSize(3)
            .map(
                closes ->
                    Operation.newBuilder()
                        .setCloseFiles(CloseFiles.newBuilder().addAllCloses(closes))
                        .build());
    return Arbitraries.oneOf(open, close, closeFiles, settle);
  }

  /** Of the file and the first few inodes, by two owners of each node. */
  private static Arbitrary<Operation> locks() {
    Arbitrary<FileLock> lock =
        Combinators.combine(
                Arbitraries.longs().between(4, 7), NODE, NUMBER, NUMBER, Arbitraries.of(1, 2, 3))
            .as(
                (inode, node, range, request, kind) ->
                    FileLock.newBuilder()
                        .setInode(inode)
                        .setNode(node)
                        .setOwner(range % 2)
                        .setFlock(request == 5)
                        .setKind(LockKind.forNumber(kind))
                        .setFirst(request == 5 ? 0 : range * 3L)
                        .setLast(request == 5 ? Long.MAX_VALUE : range * 3L + 4)
                        .setPid(node)
                        .setRequest(request)
                        .build());
    return Arbitraries.frequencyOf(
        Tuple.of(8, lock.map(one -> Operation.newBuilder().setLock(one).build())),
        Tuple.of(2, lock.map(one -> Operation.newBuilder().setCancelLock(one).build())),
        Tuple.of(
            1,
            lock.map(
                one ->
                    Operation.newBuilder()
                        .setEndLocks(
                            EndLocks.newBuilder()
                                .setInode(one.getInode())
                                .setNode(one.getNode())
                                .setOwner(one.getOwner())
                                .setFlock(one.getFlock()))
                        .build())));
  }

  private static Arbitrary<Operation> attributes() {
    Arbitrary<Operation> set =
        Combinators.combine(INODE, NUMBER, NUMBER)
            .as(
                (inode, mode, uid) -> {
                  SetAttributes.Builder change = SetAttributes.newBuilder().setInode(inode);
                  if (mode > 0) {
                    change.setMode(mode);
                  }
                  if (uid > 2) {
                    change.setUid(uid).setGid(uid);
                  }
                  change.setMtimeNow(uid == 1);
                  return Operation.newBuilder().setSetAttributes(change).build();
                });
    Arbitrary<Operation> setXattr =
        Combinators.combine(INODE, NAME, NUMBER, Arbitraries.of(0, 0, 1, 2))
            .as(
                (inode, name, value, flags) ->
                    Operation.newBuilder()
                        .setSetXattr(
                            SetXattr.newBuilder()
                                .setInode(inode)
                                .setName(name)
                                .setValue(bytes("v" + value))
                                .setFlags(flags))
                        .build());
    Arbitrary<Operation> removeXattr =
        Combinators.combine(INODE, NAME)
            .as(
                (inode, name) ->
                    Operation.newBuilder()
                        .setRemoveXattr(RemoveXattr.newBuilder().setInode(inode).setName(name))
                        .build());
    return Arbitraries.oneOf(set, setXattr, removeXattr, acls());
  }

  private static Arbitrary<Operation> acls() {
    Arbitrary<ByteString> values =
        Arbitraries.of(
            AclTest.list("u::7 g::5 o::1"),
            AclTest.list("u::7 u:5:6 g::5 m::4 o::0"),
            AclTest.list("u::6 g::5 g:8:7 m::7 o::0"),
            AclTest.list("u::6 g::5"));
    return Combinators.combine(
            INODE, Arbitraries.of(Acl.ACCESS, Acl.DEFAULT), values.injectNull(0.2))
        .as(
            (inode, name, value) ->
                value == null
                    ? Operation.newBuilder()
                        .setRemoveXattr(RemoveXattr.newBuilder().setInode(inode).setName(name))
                        .build()
                    : Operation.newBuilder()
                        .setSetXattr(
                            SetXattr.newBuilder().setInode(inode).setName(name).setValue(value))
                        .build());
  }

  private static Arbitrary<Operation> exports() {
    Arbitrary<Operation> export =
        Combinators.combine(INODE, NUMBER)
            .as(
                (inode, pid) -> {
                  ExportFile.Builder made = ExportFile.newBuilder().setInode(inode);
                  if (pid > 0) {
                    made.setExporter(Exporter.newBuilder().setPid(pid).setStart(5));
                  }
                  return Operation.newBuilder().setExportFile(made).build();
                });
    Arbitrary<Operation> end =
        INODE.map(inode -> Operation.newBuilder().setEndExport(inode).build());
    return Arbitraries.frequencyOf(Tuple.of(2, export), Tuple.of(1, end));
  }

  private static Arbitrary<Operation> service() {
    Arbitrary<Operation> join =
        Combinators.combine(NODE, NUMBER)
            .as(
                (node, key) ->
                    Operation.newBuilder()
                        .setAddNode(
                            AddNode.newBuilder()
                                .setName("n" + node)
                                .setKey(key == 5 ? 77 : node)
                                .setRpcAddress("10.0.0.1:1")
                                .setDataAddress("10.0.0.1:2"))
                        .build());
    Arbitrary<Operation> expire =
        NODE.map(
            node ->
                Operation.newBuilder()
                    .setExpireNode(ExpireNode.newBuilder().setNode(node))
                    .build());
    Arbitrary<Operation> dropped =
        Combinators.combine(NODE, INODE.set().ofMaxSize(4))
            .as(
                (node, inodes) ->
                    Operation.newBuilder()
                        .setDropped(Dropped.newBuilder().setNode(node).addAllInodes(inodes))
                        .build());
    Arbitrary<Operation> rest =
        NUMBER
            .map(
                number ->
                    switch (number) {
                      case 0 ->
                          Operation.newBuilder()
                              .setFound(Found.newBuilder().setClusterId("c" + number).setUid(3));
                      case 1 ->
                          Operation.newBuilder()
                              .setAddReplica(AddReplica.newBuilder().setId(2).setDisk(5));
                      case 2 ->
                          Operation.newBuilder()
                              .setEndSessions(EndSessions.newBuilder().addClients(7));
                      case 3 ->
                          Operation.newBuilder()
                              .setOpenSession(OpenSession.newBuilder().setClusterId("c0"));
                      default ->
                          Operation.newBuilder().setOpenSession(OpenSession.getDefaultInstance());
                    })
            .map(Operation.Builder::build);
    return Arbitraries.frequencyOf(
        Tuple.of(4, join), Tuple.of(1, expire), Tuple.of(2, dropped), Tuple.of(2, rest));
  }
}
