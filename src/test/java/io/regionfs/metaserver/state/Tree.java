package io.regionfs.metaserver.state;

import com.google.protobuf.ByteString;
import io.regionfs.meta.Messages;
import io.regionfs.model.Errno;
import io.regionfs.proto.AddNode;
import io.regionfs.proto.Attributes;
import io.regionfs.proto.Close;
import io.regionfs.proto.Command;
import io.regionfs.proto.Create;
import io.regionfs.proto.DirectoryEntry;
import io.regionfs.proto.DirectoryPage;
import io.regionfs.proto.ExpireNode;
import io.regionfs.proto.FileType;
import io.regionfs.proto.Link;
import io.regionfs.proto.ListQuery;
import io.regionfs.proto.LookupQuery;
import io.regionfs.proto.Open;
import io.regionfs.proto.OpenSession;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Query;
import io.regionfs.proto.Remove;
import io.regionfs.proto.Rename;
import io.regionfs.proto.Reply;
import io.regionfs.proto.SetAttributes;
import io.regionfs.proto.SetXattr;
import io.regionfs.proto.Settle;
import java.util.ArrayList;
import java.util.List;

/** A namespace with short names for commands; its clock goes on by a second with each. */
public final class Tree {
  public static final long ROOT = 1;
  public static final int HOME = 1;

  final Namespace namespace = new Namespace();
  final List<Command> history = new ArrayList<>();
  private long seconds = 1_000;
  private long lastInode = ROOT;

  public static ByteString bytes(String name) {
    return ByteString.copyFromUtf8(name);
  }

  Reply run(Operation.Builder operation) {
    Command.Builder command =
        Command.newBuilder()
            .setStamp(Messages.time(++seconds * 1_000_000_000L))
            .setOperation(operation);
    if (operation.hasCreate()) {
      command.setNewInode(++lastInode);
    }
    return run(command.build());
  }

  Reply run(Command command) {
    history.add(command);
    return namespace.apply(command);
  }

  /** The time of the last command. */
  long now() {
    return seconds * 1_000_000_000L;
  }

  public static Errno errno(Reply reply) {
    return Errno.of(reply.getErrno());
  }

  /** The inode number; fails if the reply is a refusal. */
  public static long inode(Reply reply) {
    if (reply.getErrno() != 0) {
      throw new AssertionError(reply.toString());
    }
    return reply.getAttributes().getInode();
  }

  public static Create.Builder creation(long parent, String name, FileType type) {
    return Create.newBuilder()
        .setParent(parent)
        .setName(bytes(name))
        .setType(type)
        .setMode(0755)
        .setUid(7)
        .setGid(8)
        .setTarget(type == FileType.FILE_TYPE_SYMLINK ? bytes("target") : ByteString.EMPTY)
        .setHome(type == FileType.FILE_TYPE_FILE ? HOME : 0);
  }

  Reply create(Create.Builder create) {
    return run(Operation.newBuilder().setCreate(create));
  }

  Reply file(long parent, String name) {
    return create(creation(parent, name, FileType.FILE_TYPE_FILE));
  }

  Reply directory(long parent, String name) {
    return create(creation(parent, name, FileType.FILE_TYPE_DIRECTORY));
  }

  Reply symlink(long parent, String name) {
    return create(creation(parent, name, FileType.FILE_TYPE_SYMLINK));
  }

  Reply link(long inode, long parent, String name) {
    return run(
        Operation.newBuilder()
            .setLink(Link.newBuilder().setInode(inode).setParent(parent).setName(bytes(name))));
  }

  Reply unlink(long parent, String name) {
    return remove(parent, name, false);
  }

  Reply rmdir(long parent, String name) {
    return remove(parent, name, true);
  }

  private Reply remove(long parent, String name, boolean directory) {
    return run(
        Operation.newBuilder()
            .setRemove(
                Remove.newBuilder()
                    .setParent(parent)
                    .setName(bytes(name))
                    .setDirectory(directory)));
  }

  Reply rename(long oldParent, String oldName, long newParent, String newName, int flags) {
    return run(
        Operation.newBuilder()
            .setRename(
                Rename.newBuilder()
                    .setOldParent(oldParent)
                    .setOldName(bytes(oldName))
                    .setNewParent(newParent)
                    .setNewName(bytes(newName))
                    .setFlags(flags)));
  }

  Reply rename(long oldParent, String oldName, long newParent, String newName) {
    return rename(oldParent, oldName, newParent, newName, 0);
  }

  Reply set(SetAttributes.Builder change) {
    return run(Operation.newBuilder().setSetAttributes(change));
  }

  Reply setXattr(long inode, String name, ByteString value, int flags) {
    return run(
        Operation.newBuilder()
            .setSetXattr(
                SetXattr.newBuilder()
                    .setInode(inode)
                    .setName(bytes(name))
                    .setValue(value)
                    .setFlags(flags)));
  }

  Reply open(long inode, int node, boolean write) {
    return run(
        Operation.newBuilder()
            .setOpen(Open.newBuilder().setInode(inode).setNode(node).setWrite(write)));
  }

  Reply close(Close.Builder close) {
    return run(Operation.newBuilder().setClose(close));
  }

  Reply close(long inode, int node) {
    return close(Close.newBuilder().setInode(inode).setNode(node));
  }

  Reply closeWrite(long inode, int node, Settle.Builder settled) {
    return close(
        Close.newBuilder().setInode(inode).setNode(node).setWrite(true).setSettled(settled));
  }

  Reply settle(Settle.Builder settle) {
    return run(Operation.newBuilder().setSettle(settle));
  }

  public static Settle.Builder values(long inode, long size, long time) {
    return Settle.newBuilder()
        .setInode(inode)
        .setSize(size)
        .setMtime(Messages.time(time))
        .setCtime(Messages.time(time));
  }

  Reply join(String name, long key) {
    return run(
        Operation.newBuilder()
            .setAddNode(
                AddNode.newBuilder()
                    .setName(name)
                    .setKey(key)
                    .setRpcAddress("10.0.0.1:1")
                    .setDataAddress("10.0.0.1:2")));
  }

  Reply expire(int node) {
    return run(Operation.newBuilder().setExpireNode(ExpireNode.newBuilder().setNode(node)));
  }

  Attributes attributes(long inode) {
    Reply reply = namespace.query(Query.newBuilder().setAttributesOf(inode).build());
    inode(reply);
    return reply.getAttributes();
  }

  boolean exists(long inode) {
    return namespace.query(Query.newBuilder().setAttributesOf(inode).build()).getErrno() == 0;
  }

  Reply lookup(long parent, String name) {
    return namespace.query(
        Query.newBuilder()
            .setLookup(LookupQuery.newBuilder().setParent(parent).setName(bytes(name)))
            .build());
  }

  DirectoryPage page(long directory, long cookie) {
    Reply reply =
        namespace.query(
            Query.newBuilder()
                .setList(ListQuery.newBuilder().setDirectory(directory).setAfterCookie(cookie))
                .build());
    inode(reply);
    return reply.getPage();
  }

  List<DirectoryEntry> list(long directory) {
    List<DirectoryEntry> entries = new ArrayList<>();
    DirectoryPage page = page(directory, 0);
    while (true) {
      entries.addAll(page.getEntriesList());
      if (page.getLast()) {
        return entries;
      }
      page = page(directory, entries.get(entries.size() - 1).getCookie());
    }
  }

  /** Under a number of its own, so that a test's commands begin with 1. */
  public static Command openSession(long client) {
    return Command.newBuilder()
        .setClientId(client)
        .setSequence(1L << 40)
        .setOperation(Operation.newBuilder().setOpenSession(OpenSession.getDefaultInstance()))
        .build();
  }
}
