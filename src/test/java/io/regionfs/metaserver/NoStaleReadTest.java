package io.regionfs.metaserver;

import static io.regionfs.metaserver.state.Tree.ROOT;
import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.regionfs.meta.Messages;
import io.regionfs.metaserver.state.Replica;
import io.regionfs.metaserver.state.Tree;
import io.regionfs.proto.FileType;
import io.regionfs.proto.LookupQuery;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Query;
import io.regionfs.proto.Remove;
import io.regionfs.proto.Rename;
import io.regionfs.proto.Reply;
import io.regionfs.proto.SetAttributes;
import io.regionfs.rpc.local.LocalTransport;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/**
 * Nodes that cache, change and read the same few inodes while calls are lost, nodes stop to answer
 * and leaders change: nobody reads what is older than what anybody has read or changed before.
 */
@SuppressWarnings("MustBeClosedChecker") // the transport closes its clients and servers
class NoStaleReadTest {
  private static final int NODES = 3;
  private static final int FILES = 3;
  private static final long RUN_NANOS = TimeUnit.SECONDS.toNanos(6);
  private static final Duration LEASE = Duration.ofMinutes(5);
  private static final Duration CACHE_LEASE = Duration.ofMillis(250);

  private final long seed = new Random().nextLong();
  private final Replica replica = new Replica();
  private final ElectedLog log = new ElectedLog(replica);
  private final LocalTransport transport = new LocalTransport();
  private final List<CachingNode> nodes = new ArrayList<>();

  /**
   * Set when all is in place; a busy machine gets more time, until every node has had its share.
   */
  private volatile long end;

  private volatile long latest;

  /** What must be read at least: the time of the last change, by inode. */
  private final AtomicLong[] changed = new AtomicLong[FILES];

  private final long[] files = new long[FILES];
  private long left;
  private long right;
  private final Alternating place = new Alternating();
  private final Alternating existence = new Alternating();

  /** A fact that one writer turns over and over; which turn it is shows only in its parity. */
  private static final class Alternating {
    private long started;
    private long completed;
    private long seen;

    synchronized void start() {
      started++;
    }

    synchronized void complete() {
      completed++;
    }

    /** What a reading that begins now must not be older than. */
    synchronized long floor() {
      return Math.max(completed, seen);
    }

    synchronized void read(boolean odd, long floor, String what) {
      long turn = floor + ((floor & 1) == (odd ? 1 : 0) ? 0 : 1);
      assertThat(turn).as("%s was %s after turn %d", what, odd, floor).isLessThanOrEqualTo(started);
      seen = Math.max(seen, turn);
    }
  }

  private boolean goesOn() {
    long now = System.nanoTime();
    return now - end < 0 || (now - latest < 0 && !everyNodeTookPart());
  }

  private boolean everyNodeTookPart() {
    return nodes.stream().allMatch(node -> node.hits() > 0 && node.recalls() > 0);
  }

  private static Query lookup(long parent, String name) {
    return Query.newBuilder()
        .setLookup(LookupQuery.newBuilder().setParent(parent).setName(Tree.bytes(name)))
        .build();
  }

  private static Operation create(long parent, String name, FileType type) {
    return Operation.newBuilder().setCreate(Tree.creation(parent, name, type)).build();
  }

  private long make(long parent, String name, FileType type) throws InterruptedException {
    Reply reply = nodes.get(0).change(create(parent, name, type), Set.of(parent), () -> true);
    return Tree.inode(reply);
  }

  private Void change(CachingNode node, Random random) throws InterruptedException {
    while (goesOn()) {
      int file = random.nextInt(FILES);
      Operation chmod =
          Operation.newBuilder()
              .setSetAttributes(
                  SetAttributes.newBuilder().setInode(files[file]).setMode(random.nextInt(0777)))
              .build();
      Reply reply = node.change(chmod, Set.of(files[file]), this::goesOn);
      assertThat(reply.getErrno()).isZero();
      changed[file].accumulateAndGet(Messages.nanos(reply.getAttributes().getCtime()), Math::max);
      TimeUnit.MILLISECONDS.sleep(random.nextInt(40));
    }
    return null;
  }

  private Void move(Random random) throws InterruptedException {
    while (goesOn()) {
      CachingNode node = nodes.get(random.nextInt(NODES));
      boolean toRight = (place.floor() & 1) == 0;
      Rename rename =
          Rename.newBuilder()
              .setOldParent(toRight ? left : right)
              .setOldName(Tree.bytes("m"))
              .setNewParent(toRight ? right : left)
              .setNewName(Tree.bytes("m"))
              .build();
      place.start();
      Operation operation = Operation.newBuilder().setRename(rename).build();
      Reply reply = node.change(operation, Set.of(left, right), this::goesOn);
      assertThat(reply.getErrno()).as(reply.getDetail()).isZero();
      place.complete();
      TimeUnit.MILLISECONDS.sleep(random.nextInt(60));
    }
    return null;
  }

  private Void createAndRemove(Random random) throws InterruptedException {
    while (goesOn()) {
      CachingNode node = nodes.get(random.nextInt(NODES));
      boolean creates = (existence.floor() & 1) == 0;
      Remove remove = Remove.newBuilder().setParent(left).setName(Tree.bytes("c")).build();
      Operation operation =
          creates
              ? create(left, "c", FileType.FILE_TYPE_FILE)
              : Operation.newBuilder().setRemove(remove).build();
      existence.start();
      Reply reply = node.change(operation, Set.of(left), this::goesOn);
      assertThat(reply.getErrno()).as(reply.getDetail()).isZero();
      existence.complete();
      TimeUnit.MILLISECONDS.sleep(random.nextInt(60));
    }
    return null;
  }

  private Void read(CachingNode node, Random random) throws InterruptedException {
    while (goesOn()) {
      switch (random.nextInt(4)) {
        case 0 -> readPlace(node, random.nextBoolean());
        case 1 -> readExistence(node);
        default -> readFile(node, random.nextInt(FILES), random.nextBoolean());
      }
      if (random.nextInt(8) == 0) {
        TimeUnit.MILLISECONDS.sleep(1);
      }
    }
    return null;
  }

  private void readPlace(CachingNode node, boolean inRight) throws InterruptedException {
    long floor = place.floor();
    Reply reply = node.ask(lookup(inRight ? right : left, "m"), this::goesOn);
    place.read(reply.hasAttributes() == inRight, floor, "in the right directory");
  }

  private void readExistence(CachingNode node) throws InterruptedException {
    long floor = existence.floor();
    Reply reply = node.ask(lookup(left, "c"), this::goesOn);
    existence.read(reply.hasAttributes(), floor, "the name's existence");
  }

  private void readFile(CachingNode node, int file, boolean byName) throws InterruptedException {
    long floor = changed[file].get();
    Query query =
        byName ? lookup(ROOT, "f" + file) : Query.newBuilder().setAttributesOf(files[file]).build();
    Reply reply = node.ask(query, this::goesOn);
    long read = Messages.nanos(reply.getAttributes().getCtime());
    assertThat(read).as("change time of file %d", file).isGreaterThanOrEqualTo(floor);
    changed[file].accumulateAndGet(read, Math::max);
  }

  private Void renew() throws InterruptedException {
    while (goesOn()) {
      for (CachingNode node : nodes) {
        node.renew();
      }
      TimeUnit.MILLISECONDS.sleep(50);
    }
    return null;
  }

  private Void changeLeaders(Random random) throws InterruptedException {
    long term = 1;
    while (goesOn()) {
      TimeUnit.MILLISECONDS.sleep(200 + random.nextInt(1000));
      term++;
      log.elect(false, term, "");
      TimeUnit.MILLISECONDS.sleep(random.nextInt(20));
      term++;
      log.elect(true, term, "");
    }
    return null;
  }

  private Void stopNodes(Random random) throws InterruptedException {
    while (goesOn()) {
      TimeUnit.MILLISECONDS.sleep(random.nextInt(800));
      CachingNode node = nodes.get(random.nextInt(NODES));
      node.stop(true);
      TimeUnit.MILLISECONDS.sleep(random.nextInt(400));
      node.stop(false);
    }
    return null;
  }

  @Test
  void nobodyReadsWhatIsOlderThanWhatWasRead() throws Exception {
    System.out.println("NoStaleReadTest seed " + seed);
    Random random = new Random(seed);
    MetadataOptions options =
        new MetadataOptions("cluster", "here", LEASE, CACHE_LEASE, Duration.ofHours(1));
    log.elect(true, 1, "");
    ExecutorService threads = Executors.newCachedThreadPool();
    try (MetadataService service =
        new MetadataService(options, replica, log, null, transport, new CompositeMeterRegistry())) {
      InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
      InetSocketAddress address = transport.serve(any, service).address();
      for (int i = 0; i < NODES; i++) {
        replica.apply(Tree.openSession(100 + i));
        CachingNode node =
            new CachingNode(transport.client(address), 100 + i, new Random(random.nextLong()));
        node.join("n" + i, "127.0.0.1:" + transport.serve(any, node).address().getPort());
        nodes.add(node);
      }
      for (int i = 0; i < FILES; i++) {
        files[i] = make(ROOT, "f" + i, FileType.FILE_TYPE_FILE);
        changed[i] = new AtomicLong();
      }
      left = make(ROOT, "left", FileType.FILE_TYPE_DIRECTORY);
      right = make(ROOT, "right", FileType.FILE_TYPE_DIRECTORY);
      make(left, "m", FileType.FILE_TYPE_FILE);
      long start = System.nanoTime();
      end = start + RUN_NANOS;
      latest = start + 10 * RUN_NANOS;
      List<Future<Void>> running = new ArrayList<>();
      for (Callable<Void> task : tasks(random)) {
        running.add(threads.submit(task));
      }
      for (Future<Void> one : running) {
        awaitEnd(one);
      }
    } finally {
      threads.shutdownNow();
      transport.close();
    }
    assertThat(nodes).allSatisfy(node -> assertThat(node.hits()).isPositive());
    assertThat(nodes).allSatisfy(node -> assertThat(node.recalls()).isPositive());
    nodes.forEach(node -> System.out.println(node.hits() + " hits, recalled " + node.recalls()));
    System.out.println(place.completed + " moves, " + existence.completed + " turns of a name");
  }

  private List<Callable<Void>> tasks(Random random) {
    List<Callable<Void>> tasks = new ArrayList<>();
    for (CachingNode node : nodes) {
      Random forReader = new Random(random.nextLong());
      Random forSecond = new Random(random.nextLong());
      Random forWriter = new Random(random.nextLong());
      tasks.add(() -> read(node, forReader));
      tasks.add(() -> read(node, forSecond));
      tasks.add(() -> change(node, forWriter));
    }
    Random forMover = new Random(random.nextLong());
    Random forMaker = new Random(random.nextLong());
    Random forLeaders = new Random(random.nextLong());
    Random forStops = new Random(random.nextLong());
    tasks.add(() -> move(forMover));
    tasks.add(() -> createAndRemove(forMaker));
    tasks.add(this::renew);
    tasks.add(() -> changeLeaders(forLeaders));
    tasks.add(() -> stopNodes(forStops));
    return tasks;
  }

  private void awaitEnd(Future<Void> task) throws Exception {
    try {
      task.get(120, TimeUnit.SECONDS);
    } catch (java.util.concurrent.ExecutionException e) {
      if (!(e.getCause() instanceof InterruptedException)) {
        throw new AssertionError("seed " + seed, e.getCause());
      }
    }
  }
}
