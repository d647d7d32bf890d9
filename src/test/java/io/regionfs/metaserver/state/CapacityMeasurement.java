package io.regionfs.metaserver.state;

import io.regionfs.meta.Messages;
import io.regionfs.proto.Command;
import io.regionfs.proto.Create;
import io.regionfs.proto.FileType;
import io.regionfs.proto.ListQuery;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Query;
import io.regionfs.proto.Reply;
import io.regionfs.proto.SetXattr;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Measures what a namespace costs: {@code CapacityMeasurement [INODES [FILES_PER_DIRECTORY]]}.
 * Every tenth inode has an ACL, of which there are a few kinds. Prints one {@code name=value} per
 * line; times in milliseconds. Not a test: its figures depend on the machine.
 */
public final class CapacityMeasurement {
  private static final long START = 1_700_000_000_000_000_000L;
  private static final int ACLS = 5;

  private final Replica replica = new Replica();
  private final long count;
  private final int perDirectory;
  private long commands;

  private CapacityMeasurement(long count, int perDirectory) {
    this.count = count;
    this.perDirectory = perDirectory;
  }

  public static void main(String[] args) throws Exception {
    long count = args.length > 0 ? Long.parseLong(args[0]) : 1_000_000;
    int perDirectory = args.length > 1 ? Integer.parseInt(args[1]) : 50;
    new CapacityMeasurement(count, perDirectory).run();
  }

  private static void print(String name, double value) {
    System.out.println(name + "=" + String.format(Locale.ROOT, "%.1f", value));
  }

  private static double millisSince(long start) {
    return (System.nanoTime() - start) / 1e6;
  }

  private static long usedHeap() {
    System.gc();
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }

  private void run() throws Exception {
    long empty = usedHeap();
    long start = System.nanoTime();
    double longest = fill();
    print("fill_ms", millisSince(start));
    print("fill_longest_command_ms", longest);
    long gc = System.nanoTime();
    long used = usedHeap() - empty;
    print("full_gc_ms", millisSince(gc));
    long inodes = replica.read(namespace -> (long) namespace.inodes().count());
    print("inodes", (double) inodes);
    print("heap_mib", used / 1048576.0);
    print("bytes_per_inode", (double) used / inodes);
    start = System.nanoTime();
    long fingerprint = replica.read(Namespace::fingerprint);
    print("fingerprint_ms", millisSince(start));
    list();
    Path file = Files.createTempFile("capacity", ".snapshot");
    try {
      write(file);
      restore(file, fingerprint);
    } finally {
      Files.delete(file);
    }
  }

  private Reply apply(Operation.Builder operation) {
    commands++;
    return replica.apply(
        Command.newBuilder()
            .setStamp(Messages.time(START + commands * 1000))
            .setOperation(operation)
            .build());
  }

  /** The longest command, in milliseconds. */
  private double fill() {
    long directory = Tree.ROOT;
    long longest = 0;
    for (long i = 1; i < count; i++) {
      boolean isDirectory = i % (perDirectory + 1) == 1;
      Create.Builder create =
          Tree.creation(
              isDirectory ? Tree.ROOT : directory,
              (isDirectory ? "directory-" : "file-") + i,
              isDirectory ? FileType.FILE_TYPE_DIRECTORY : FileType.FILE_TYPE_FILE);
      long start = System.nanoTime();
      long made = Tree.inode(apply(Operation.newBuilder().setCreate(create)));
      longest = Math.max(longest, System.nanoTime() - start);
      if (isDirectory) {
        directory = made;
      }
      if (i % 10 == 0) {
        apply(
            Operation.newBuilder()
                .setSetXattr(
                    SetXattr.newBuilder()
                        .setInode(made)
                        .setName(Tree.bytes("system.posix_acl_access"))
                        .setValue(Tree.bytes("an ACL of some kind, number " + i % ACLS))));
      }
    }
    return longest / 1e6;
  }

  /** One page from the middle of the largest directory. */
  private void list() {
    ListQuery list =
        ListQuery.newBuilder().setDirectory(2).setAfterCookie(perDirectory / 2).build();
    long start = System.nanoTime();
    replica.read(namespace -> namespace.query(Query.newBuilder().setList(list).build()));
    print("list_page_ms", millisSince(start));
  }

  private void write(Path file) throws IOException, InterruptedException {
    long start = System.nanoTime();
    try (Replica.Snapshot snapshot = replica.snapshot()) {
      print("snapshot_pause_ms", millisSince(start));
      Beside beside = new Beside();
      Thread thread = new Thread(beside, "commands-beside-a-snapshot");
      thread.start();
      try (OutputStream out = Files.newOutputStream(file)) {
        snapshot.writeTo(out);
      } finally {
        beside.done = true;
        thread.join();
      }
      print("snapshot_ms", millisSince(start));
      print("snapshot_mib", Files.size(file) / 1048576.0);
      print("beside_commands", (double) beside.applied);
      print("beside_longest_command_ms", beside.longest / 1e6);
    }
  }

  /** Changes files, one each millisecond, while the snapshot is written. */
  private final class Beside implements Runnable {
    private volatile boolean done;
    private long applied;
    private long longest;

    @Override
    public void run() {
      try {
        while (!done) {
          Create.Builder create =
              Tree.creation(Tree.ROOT, "beside-" + applied, FileType.FILE_TYPE_FILE);
          long start = System.nanoTime();
          apply(Operation.newBuilder().setCreate(create));
          longest = Math.max(longest, System.nanoTime() - start);
          applied++;
          Thread.sleep(1);
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void restore(Path file, long fingerprint) throws IOException {
    long start = System.nanoTime();
    try (InputStream in = Files.newInputStream(file)) {
      replica.restore(in);
    }
    print("restore_ms", millisSince(start));
    if (replica.<Long>read(Namespace::fingerprint) != fingerprint) {
      throw new AssertionError("the restored state differs");
    }
  }
}
