package io.regionfs.meta;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.regionfs.metaserver.LocalLog;
import io.regionfs.metaserver.MetadataOptions;
import io.regionfs.metaserver.MetadataService;
import io.regionfs.metaserver.state.Replica;
import io.regionfs.model.AttributeChange;
import io.regionfs.model.AttributeChange.TimeChange;
import io.regionfs.model.Attributes;
import io.regionfs.model.Errno;
import io.regionfs.model.FileType;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.model.Name;
import io.regionfs.model.NodeId;
import io.regionfs.model.RegionStat;
import io.regionfs.rpc.RpcClient;
import io.regionfs.rpc.RpcServer;
import io.regionfs.rpc.RpcTransport;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What {@link Metadata} promises, over a transport: two nodes, "a" and "b", and one service. The
 * corner cases of names are in the namespace's own test.
 */
@SuppressWarnings("MustBeClosedChecker") // start() and stop() open and close
public abstract class MetadataContract {
  private static final InodeId ROOT = InodeId.ROOT;
  private static final Instant THEN = Instant.ofEpochSecond(1_000_000_000, 123_456_789);
  private static final Duration LEASE = Duration.ofMillis(1500);
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private RpcTransport transport;
  private MetadataService service;
  private RpcServer server;
  private Host a;
  private Host b;

  /** A transport, which the contract closes. */
  protected abstract RpcTransport newTransport() throws Exception;

  /** One node with all it needs; remembers what its membership told it. */
  private final class Host implements Membership.Listener, AutoCloseable {
    final RpcClient client = transport.client(server.address());
    final MetadataClient metadata =
        new MetadataClient(List.of(client), MetadataClientOptions.PATIENT);
    final AtomicInteger renewals = new AtomicInteger();
    final ConcurrentLinkedQueue<InodeId> dead = new ConcurrentLinkedQueue<>();
    final RecallHandler recalls = new RecallHandler(metadata);
    final RpcServer answers;
    final Membership membership;

    Host(String name, long key) throws IOException {
      answers = transport.serve(loopback(0), recalls);
      membership = Membership.join(metadata, identity(name, key, answers.address()));
      membership.start(this::load, this);
    }

    private Membership.Load load() {
      renewals.incrementAndGet();
      return new Membership.Load(1000, 10, 1, "soft");
    }

    @Override
    public void dead(List<InodeId> inodes) {
      dead.addAll(inodes);
    }

    @Override
    public void leaseLost() {}

    NodeId id() {
      return membership.node();
    }

    @Override
    public void close() {
      membership.close();
      answers.close();
      recalls.close();
      metadata.close();
      client.close();
    }
  }

  private static InetSocketAddress loopback(int port) {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
  }

  private static Membership.Identity identity(String name, long key, InetSocketAddress address) {
    return new Membership.Identity(name, key, address, address);
  }

  @BeforeEach
  void start() throws Exception {
    transport = newTransport();
    Replica replica = new Replica();
    service =
        new MetadataService(
            new MetadataOptions("cluster-x", "here", LEASE),
            replica,
            new LocalLog(replica),
            null,
            transport,
            new SimpleMeterRegistry());
    server = transport.serve(loopback(0), service);
    a = new Host("a", 1);
    b = new Host("b", 2);
  }

  @AfterEach
  void stop() {
    b.close();
    a.close();
    server.close();
    service.close();
    transport.close();
  }

  private NewInode file(String name, boolean open, boolean write) {
    return new NewInode(
        ROOT, Name.of(name), FileType.FILE, 0644, 0, 7, 8, ByteString.EMPTY, a.id(), open, write);
  }

  private Attributes make(String name) {
    return a.metadata.create(file(name, false, false));
  }

  private Attributes makeDirectory(InodeId parent, String name) {
    return a.metadata.create(
        new NewInode(
            parent,
            Name.of(name),
            FileType.DIRECTORY,
            0755,
            0,
            7,
            8,
            ByteString.EMPTY,
            NodeId.NONE,
            false,
            false));
  }

  private static void refused(Errno errno, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            FsException.class, e -> assertThat(e.errno()).as(e.getMessage()).isEqualTo(errno));
  }

  private static void await(String what, BooleanSupplier condition) {
    assertThat(awaited(condition)).as("waiting: " + what).isTrue();
  }

  private static boolean awaited(BooleanSupplier condition) {
    long end = System.nanoTime() + PATIENCE.toNanos();
    boolean met = condition.getAsBoolean();
    while (!met && System.nanoTime() < end) {
      LockSupport.parkNanos(10_000_000);
      met = condition.getAsBoolean();
    }
    return met;
  }

  @Test
  void whatOneNodeMakesTheOtherFinds() {
    Attributes made = make("x");
    Attributes found = b.metadata.lookup(ROOT, Name.of("x"));
    assertThat(found).isEqualTo(made);
    assertThat(found.type()).isEqualTo(FileType.FILE);
    assertThat(found.mode()).isEqualTo(0644);
    assertThat(found.uid()).isEqualTo(7);
    assertThat(found.gid()).isEqualTo(8);
    assertThat(found.home()).isEqualTo(a.id());
    assertThat(found.links()).isEqualTo(1);
    assertThat(found.btime()).isEqualTo(found.mtime());
    assertThat(b.metadata.attributes(made.inode())).isEqualTo(made);
  }

  @Test
  void refusalsCarryTheirErrno() {
    make("x");
    refused(Errno.ENOENT, () -> a.metadata.lookup(ROOT, Name.of("y")));
    refused(Errno.EEXIST, () -> make("x"));
    refused(Errno.ENOTDIR, () -> a.metadata.rmdir(ROOT, Name.of("x")));
    refused(Errno.ENOENT, () -> a.metadata.attributes(new InodeId(99)));
    makeDirectory(ROOT, "d");
    refused(Errno.EISDIR, () -> a.metadata.unlink(ROOT, Name.of("d")));
  }

  @Test
  void aSymlinkKeepsItsTargetBytes() {
    byte[] target = {'.', '.', '/', (byte) 0xff, 1};
    Attributes made =
        a.metadata.create(
            new NewInode(
                ROOT,
                Name.of("s"),
                FileType.SYMLINK,
                0777,
                0,
                0,
                0,
                ByteString.copyFrom(target),
                NodeId.NONE,
                false,
                false));
    assertThat(made.size()).isEqualTo(target.length);
    assertThat(b.metadata.readLink(made.inode())).isEqualTo(target);
    refused(Errno.EINVAL, () -> b.metadata.readLink(ROOT));
  }

  @Test
  void namesMoveAndMultiply() {
    InodeId d = makeDirectory(ROOT, "d").inode();
    InodeId x = make("x").inode();
    assertThat(a.metadata.link(x, d, Name.of("y")).links()).isEqualTo(2);
    assertThat(b.metadata.rename(ROOT, Name.of("x"), d, Name.of("z"), 0))
        .isEqualTo(Metadata.Removal.NOTHING);
    assertThat(a.metadata.lookup(d, Name.of("z")).inode()).isEqualTo(x);
    refused(Errno.ENOENT, () -> a.metadata.lookup(ROOT, Name.of("x")));
    InodeId other = make("other").inode();
    assertThat(a.metadata.rename(d, Name.of("z"), ROOT, Name.of("other"), 0))
        .isEqualTo(new Metadata.Removal(other, a.id()));
    refused(Errno.EEXIST, () -> a.metadata.rename(d, Name.of("y"), ROOT, Name.of("other"), 1));
    refused(Errno.ENOTEMPTY, () -> a.metadata.rmdir(ROOT, Name.of("d")));
    a.metadata.unlink(d, Name.of("y"));
    a.metadata.rmdir(ROOT, Name.of("d"));
  }

  @Test
  void aListingIsPagedAndComplete() {
    InodeId d = makeDirectory(ROOT, "d").inode();
    InodeId sub = makeDirectory(d, "sub").inode();
    List<String> expected = new ArrayList<>(List.of("sub"));
    for (int i = 0; i < 1000; i++) {
      String name = "a-rather-long-name-of-a-file-" + i;
      a.metadata.link(i == 0 ? make("x").inode() : lookup("x"), d, Name.of(name));
      expected.add(name);
    }
    List<String> names = new ArrayList<>();
    long cookie = 0;
    int pages = 0;
    Metadata.DirectoryPage page;
    do {
      page = b.metadata.list(d, cookie);
      pages++;
      assertThat(page.parent()).isEqualTo(ROOT);
      for (Metadata.Entry entry : page.entries()) {
        assertThat(entry.cookie()).isGreaterThan(cookie);
        cookie = entry.cookie();
        names.add(entry.name().toString());
        assertThat(entry.type())
            .isEqualTo(entry.inode().equals(sub) ? FileType.DIRECTORY : FileType.FILE);
      }
    } while (!page.last());
    assertThat(names).isEqualTo(expected);
    assertThat(pages).isGreaterThan(1);
    refused(Errno.ENOTDIR, () -> b.metadata.list(lookup("x"), 0));
  }

  private InodeId lookup(String name) {
    return a.metadata.lookup(ROOT, Name.of(name)).inode();
  }

  @Test
  void attributesChange() {
    InodeId x = make("x").inode();
    TimeChange then = new TimeChange(THEN);
    Attributes changed =
        b.metadata.setAttributes(x, new AttributeChange(0100_4755, 1, 2, null, then, null));
    assertThat(changed.mode()).isEqualTo(04755);
    assertThat(changed.uid()).isEqualTo(1);
    assertThat(changed.gid()).isEqualTo(2);
    assertThat(changed.atime()).isEqualTo(THEN);
    assertThat(changed.ctime()).isAfter(changed.btime());
    changed = b.metadata.setAttributes(x, new AttributeChange(null, null, null, null, null, then));
    assertThat(changed.mtime()).isEqualTo(THEN);
    changed =
        a.metadata.setAttributes(
            x, new AttributeChange(null, null, null, null, TimeChange.NOW, TimeChange.NOW));
    assertThat(changed.mtime()).isAfter(THEN).isEqualTo(changed.ctime());
    assertThat(changed.atime()).isEqualTo(changed.mtime());
  }

  @Test
  void aWriteSessionMakesTheHomeTheAuthority() {
    InodeId x = make("x").inode();
    Attributes before = b.metadata.open(x, true);
    assertThat(before.atHome()).isFalse();
    assertThat(before.size()).isZero();
    assertThat(a.metadata.attributes(x).atHome()).isTrue();
    b.metadata.closeWrite(x, new RegionStat(5000, 8192, THEN, Instant.now()));
    Attributes after = a.metadata.attributes(x);
    assertThat(after.atHome()).isFalse();
    assertThat(after.size()).isEqualTo(5000);
    assertThat(after.allocatedBytes()).isEqualTo(8192);
    assertThat(after.mtime()).isEqualTo(THEN);
    assertThat(b.metadata.close(x, null, null)).isEqualTo(Metadata.Closed.DONE);
  }

  @Test
  void aCloseMayEndTheWriteSessionToo() {
    InodeId x = make("x").inode();
    RegionStat stat = new RegionStat(5000, 8192, THEN, Instant.now());
    a.metadata.open(x, true);
    b.metadata.open(x, true);
    assertThat(a.metadata.close(x, stat, null).atHome()).isTrue();
    assertThat(b.metadata.close(x, stat, null).atHome()).isTrue();
    a.metadata.open(x, true);
    assertThat(a.metadata.close(x, stat, Instant.now())).isEqualTo(Metadata.Closed.DONE);
    assertThat(b.metadata.attributes(x).atHome()).isFalse();
    assertThat(b.metadata.attributes(x).size()).isEqualTo(5000);
  }

  @Test
  void manyOpensEndAtOnce() {
    InodeId x = make("x").inode();
    InodeId y = make("y").inode();
    Instant later = Instant.now().plusSeconds(10);
    a.metadata.open(x, false);
    a.metadata.open(y, false);
    a.metadata.unlink(ROOT, Name.of("x"));
    assertThat(
            a.metadata.closeAll(
                List.of(new Metadata.Closing(x, null), new Metadata.Closing(y, later))))
        .containsExactly(new Metadata.Removal(x, a.id()));
    refused(Errno.ENOENT, () -> a.metadata.attributes(x));
    assertThat(b.metadata.attributes(y).atime()).isEqualTo(later);
    assertThat(a.metadata.closeAll(List.of(new Metadata.Closing(x, later)))).isEmpty();
  }

  @Test
  void anUnlinkedFileLivesUntilItsLastCloseAnywhere() {
    InodeId x = a.metadata.create(file("x", true, true)).inode();
    b.metadata.open(x, false);
    assertThat(a.metadata.unlink(ROOT, Name.of("x"))).isEqualTo(Metadata.Removal.NOTHING);
    assertThat(b.metadata.attributes(x).links()).isZero();
    a.metadata.closeWrite(x, new RegionStat(1, 4096, THEN, THEN));
    assertThat(a.metadata.close(x, null, null)).isEqualTo(Metadata.Closed.DONE);
    assertThat(b.metadata.attributes(x).size()).isEqualTo(1);
    assertThat(b.metadata.close(x, null, Instant.now()).removal())
        .isEqualTo(new Metadata.Removal(x, a.id()));
    refused(Errno.ENOENT, () -> a.metadata.attributes(x));
  }

  @Test
  void aHomeHearsOfItsDeadUntilItDroppedThem() {
    InodeId x = make("x").inode();
    b.metadata.unlink(ROOT, Name.of("x"));
    await("dead inode", () -> a.dead.contains(x));
    await("forgotten", () -> isNotNamedAgain(x));
    assertThat(b.dead).isEmpty();
  }

  /** Do whole renewals pass that do not name it? */
  private boolean isNotNamedAgain(InodeId inode) {
    a.dead.clear();
    int enough = a.renewals.get() + 3;
    return awaited(() -> a.renewals.get() >= enough) && !a.dead.contains(inode);
  }

  @Test
  void extendedAttributes() {
    InodeId x = make("x").inode();
    byte[] name = "user.n".getBytes(UTF_8);
    byte[] value = new byte[10_000];
    value[9_999] = 1;
    refused(Errno.ENODATA, () -> a.metadata.xattr(x, name));
    refused(Errno.ENODATA, () -> a.metadata.setXattr(x, name, value, 2));
    a.metadata.setXattr(x, name, value, 1);
    assertThat(b.metadata.xattr(x, name)).isEqualTo(value);
    refused(Errno.EEXIST, () -> a.metadata.setXattr(x, name, value, 1));
    refused(Errno.ENOSPC, () -> a.metadata.setXattr(x, "user.m".getBytes(UTF_8), value, 0));
    refused(Errno.E2BIG, () -> a.metadata.setXattr(x, name, new byte[17 << 10], 0));
    assertThat(b.metadata.xattrNames(x)).containsExactly(name);
    b.metadata.removeXattr(x, name);
    assertThat(a.metadata.xattrNames(x)).isEmpty();
    refused(Errno.ENODATA, () -> b.metadata.removeXattr(x, name));
  }

  @Test
  void nodesKnowEachOtherAndTheirSpace() {
    assertThat(a.metadata.nodes()).extracting(Node::name).containsExactly("a", "b");
    Node other = a.metadata.node(b.id());
    assertThat(other.name()).isEqualTo("b");
    assertThat(other.alive()).isTrue();
    assertThat(other.rpc()).isEqualTo(b.answers.address());
    assertThat(other.fabric()).isEqualTo("soft");
    assertThat(a.metadata.space()).isEqualTo(new Metadata.Space(2000, 20, 1));
    assertThat(a.membership.clusterId()).isEqualTo("cluster-x");
    assertThat(a.metadata.service().clusterId()).isEqualTo("cluster-x");
    assertThat(a.metadata.service().queries()).isPositive();
    refused(Errno.EIO, () -> a.metadata.node(new NodeId(99)));
  }

  @Test
  void aNodeThatLeavesIsNotAlive() {
    InodeId x = b.metadata.create(file("x", true, true)).inode();
    a.metadata.unlink(ROOT, Name.of("x"));
    NodeId left = b.id();
    b.close();
    refused(Errno.ENOENT, () -> a.metadata.attributes(x));
    await("not alive", () -> !a.metadata.node(left).alive());
    assertThat(a.metadata.space().capacityBytes()).isEqualTo(1000);
  }

  @Test
  void aNamesakeIsRefusedAndARestartKeepsItsNumber() {
    try (RpcClient client = transport.client(server.address());
        MetadataClient metadata =
            new MetadataClient(List.of(client), MetadataClientOptions.PATIENT)) {
      refused(Errno.EEXIST, () -> Membership.join(metadata, identity("a", 3, loopback(7003))));
      InodeId x = b.metadata.create(file("x", true, true)).inode();
      b.metadata.unlink(ROOT, Name.of("x"));
      try (Membership restarted = Membership.join(metadata, identity("b", 2, loopback(7002)))) {
        assertThat(restarted.node()).isEqualTo(b.id());
        refused(Errno.ENOENT, () -> a.metadata.attributes(x));
      }
    }
  }

  @Test
  void callsWaitForAServiceThatIsAway() throws Exception {
    make("x");
    InetSocketAddress address = server.address();
    server.close();
    Thread waiting = new Thread(() -> make("y"), "waiting");
    waiting.start();
    await("waiting", () -> waiting.getState() == Thread.State.TIMED_WAITING);
    server = transport.serve(address, service);
    waiting.join(PATIENCE.toMillis());
    assertThat(waiting.isAlive()).isFalse();
    assertThat(a.metadata.lookup(ROOT, Name.of("y")).links()).isEqualTo(1);
  }

  @Test
  void aCallThatWaitsCanBeInterruptedOrGiveUp() {
    server.close();
    Thread.currentThread().interrupt();
    refused(Errno.EINTR, () -> make("x"));
    assertThat(Thread.interrupted()).isFalse();
    MetadataClientOptions hasty =
        new MetadataClientOptions(Duration.ofSeconds(5), Duration.ofMillis(50));
    try (MetadataClient metadata = new MetadataClient(List.of(a.client), hasty)) {
      refused(Errno.ETIMEDOUT, () -> metadata.attributes(ROOT));
    }
  }

  /** Asks until the answers can be kept: a node that has just joined, or an inode just changed. */
  private static void awaitLease(Host host, InodeId inode) {
    await(
        "a lease on " + inode,
        () -> {
          host.metadata.attributes(inode);
          return host.metadata.leasedNanos(inode) > 0;
        });
  }

  /** That the host asks the service nothing for this. */
  private static void costsNoCall(Host host, Runnable questions) {
    await(
        "answers from the cache",
        () -> {
          questions.run();
          long before = host.metadata.service().queries();
          questions.run();
          return host.metadata.service().queries() == before + 1;
        });
  }

  @Test
  void whatDoesNotChangeIsAskedOnce() {
    InodeId d = makeDirectory(ROOT, "d").inode();
    InodeId x = a.metadata.create(file("x", false, false)).inode();
    a.metadata.link(x, d, Name.of("y"));
    byte[] name = "user.n".getBytes(UTF_8);
    byte[] none = "user.none".getBytes(UTF_8);
    a.metadata.setXattr(x, name, name, 0);
    costsNoCall(
        b,
        () -> {
          assertThat(b.metadata.lookup(ROOT, Name.of("d")).inode()).isEqualTo(d);
          assertThat(b.metadata.lookup(d, Name.of("y")).inode()).isEqualTo(x);
          refused(Errno.ENOENT, () -> b.metadata.lookup(d, Name.of("z")));
          assertThat(b.metadata.attributes(x).links()).isEqualTo(2);
          assertThat(b.metadata.list(d, 0).entries()).hasSize(1);
          assertThat(b.metadata.xattr(x, name)).isEqualTo(name);
          refused(Errno.ENODATA, () -> b.metadata.xattr(x, none));
          assertThat(b.metadata.xattrNames(x)).containsExactly(name);
        });
  }

  @Test
  void aListingBringsTheAttributes() {
    InodeId d = makeDirectory(ROOT, "d").inode();
    InodeId x = make("x").inode();
    a.metadata.link(x, d, Name.of("y"));
    await(
        "listed and known",
        () -> {
          b.metadata.list(d, 0);
          long before = b.metadata.service().queries();
          assertThat(b.metadata.lookup(d, Name.of("y")).inode()).isEqualTo(x);
          return b.metadata.service().queries() == before + 1;
        });
  }

  @Test
  void whatAnotherNodeChangedIsSeenAtOnce() {
    for (int i = 0; i < 20; i++) {
      Name name = Name.of("n" + i);
      byte[] key = "user.n".getBytes(UTF_8);
      InodeId d = makeDirectory(ROOT, "d" + i).inode();
      awaitLease(b, d);
      refused(Errno.ENOENT, () -> b.metadata.lookup(d, name));
      assertThat(b.metadata.list(d, 0).entries()).isEmpty();
      InodeId x = make("x" + i).inode();
      a.metadata.link(x, d, name);
      assertThat(b.metadata.lookup(d, name).inode()).isEqualTo(x);
      assertThat(b.metadata.list(d, 0).entries()).hasSize(1);
      refused(Errno.ENODATA, () -> b.metadata.xattr(x, key));
      a.metadata.setXattr(x, key, key, 0);
      assertThat(b.metadata.xattr(x, key)).isEqualTo(key);
      a.metadata.setAttributes(x, new AttributeChange(0600, null, null, null, null, null));
      assertThat(b.metadata.attributes(x).mode()).isEqualTo(0600);
      assertThat(b.metadata.lookup(d, name).mode()).isEqualTo(0600);
      a.metadata.unlink(d, name);
      refused(Errno.ENOENT, () -> b.metadata.lookup(d, name));
      assertThat(b.metadata.attributes(x).links()).isEqualTo(1);
    }
  }

  @Test
  void whoKeepsAnswersIsToldWhenTheyChange() {
    ConcurrentLinkedQueue<InodeId> told = new ConcurrentLinkedQueue<>();
    b.metadata.onForget(
        new Metadata.ForgetListener() {
          @Override
          public void forget(InodeId inode) {
            told.add(inode);
          }

          @Override
          public void forgetAll() {}
        });
    InodeId x = make("x").inode();
    awaitLease(b, x);
    assertThat(b.metadata.leasedNanos(x)).isLessThanOrEqualTo(LEASE.toNanos());
    a.metadata.setAttributes(x, new AttributeChange(0600, null, null, null, null, null));
    assertThat(told).contains(x);
    assertThat(b.metadata.leasedNanos(x)).isZero();
  }

  @Test
  void whoWritesAFileIsToldWhenItGetsPrivileges() {
    ConcurrentLinkedQueue<InodeId> told = new ConcurrentLinkedQueue<>();
    b.metadata.onForget(
        new Metadata.ForgetListener() {
          @Override
          public void forget(InodeId inode) {}

          @Override
          public void recalled(InodeId inode) {
            told.add(inode);
          }

          @Override
          public void forgetAll() {}
        });
    InodeId x = make("x").inode();
    byte[] capability = "security.capability".getBytes(UTF_8);
    awaitLease(b, ROOT); // it can be told
    b.metadata.open(x, true);
    a.metadata.setAttributes(x, new AttributeChange(0755, null, null, null, null, null));
    a.metadata.setXattr(x, "user.a".getBytes(UTF_8), capability, 0);
    b.metadata.setAttributes(x, new AttributeChange(04755, null, null, null, null, null));
    assertThat(told).as("nothing given, or by itself").isEmpty();
    for (int mode : new int[] {04755, 02711, 06777}) {
      a.metadata.setAttributes(x, new AttributeChange(mode, null, null, null, null, null));
      assertThat(told.poll()).as("set-id").isEqualTo(x);
    }
    a.metadata.setAttributes(x, AttributeChange.of(AttributeChange.Kill.ALL));
    a.metadata.setXattr(x, capability, capability, 0);
    assertThat(told.poll()).as("capability").isEqualTo(x);
    assertThat(b.metadata.attributes(x).capability()).isTrue();
    b.metadata.closeWrite(x, null);
    a.metadata.setXattr(x, capability, capability, 0);
    assertThat(told).as("it does not write any more").isEmpty();
  }

  @Test
  void whatItsHomeKnowsBetterIsNotKept() {
    InodeId x = make("x").inode();
    awaitLease(b, x);
    a.metadata.open(x, true);
    assertThat(b.metadata.attributes(x).atHome()).isTrue();
    assertThat(b.metadata.leasedNanos(x)).isZero();
    a.metadata.closeWrite(x, new RegionStat(5000, 8192, THEN, THEN));
    assertThat(b.metadata.attributes(x).size()).isEqualTo(5000);
  }

  @Test
  void anOwnChangeIsSeenAtOnce() {
    InodeId x = make("x").inode();
    for (int mode = 0; mode < 20; mode++) {
      awaitLease(a, ROOT);
      a.metadata.attributes(x);
      int changed = mode;
      a.metadata.setAttributes(x, new AttributeChange(changed, null, null, null, null, null));
      assertThat(a.metadata.attributes(x).mode()).isEqualTo(changed);
      Name name = Name.of("y" + mode);
      refused(Errno.ENOENT, () -> a.metadata.lookup(ROOT, name));
      a.metadata.link(x, ROOT, name);
      assertThat(a.metadata.lookup(ROOT, name).links()).isEqualTo(mode + 2);
    }
  }

  private static Lock lockOn(long owner, boolean exclusive) {
    return new Lock(owner, false, exclusive, 10, 19, 4711);
  }

  private InodeId openByBoth(String name) {
    InodeId inode = make(name).inode();
    a.metadata.open(inode, false);
    b.metadata.open(inode, false);
    return inode;
  }

  @Test
  void aLockStandsAgainstThoseOfOtherNodes() {
    InodeId x = openByBoth("x");
    a.metadata.lock(x, lockOn(1, true), false, false);
    refused(Errno.EAGAIN, () -> b.metadata.lock(x, lockOn(1, false), false, false));
    assertThat(a.metadata.conflicting(x, lockOn(2, false))).isEqualTo(lockOn(1, true));
    assertThat(b.metadata.conflicting(x, lockOn(1, false)))
        .isEqualTo(new Lock(1, false, true, 10, 19, 0));
    a.metadata.lock(x, lockOn(1, false), false, true);
    b.metadata.lock(x, lockOn(1, false), false, false);
    b.metadata.lock(x, new Lock(1, true, true, 0, Long.MAX_VALUE, 1), false, false);
    a.metadata.unlock(x, lockOn(1, false));
    b.metadata.lock(x, lockOn(1, true), false, true);
    b.metadata.endLocks(x, 1, false);
    assertThat(a.metadata.conflicting(x, lockOn(1, true))).isNull();
    refused(
        Errno.EAGAIN,
        () -> a.metadata.lock(x, new Lock(9, true, false, 0, Long.MAX_VALUE, 1), false, false));
  }

  @Test
  void whoWaitsForALockGetsItInTurn() throws Exception {
    InodeId x = openByBoth("x");
    InodeId y = openByBoth("y");
    a.metadata.lock(x, lockOn(1, false), false, false);
    b.metadata.lock(y, lockOn(1, true), false, false);
    CompletableFuture<Void> waiting =
        CompletableFuture.runAsync(() -> b.metadata.lock(x, lockOn(1, true), true, false));
    await("a turn", () -> !mayShare(x));
    refused(Errno.EDEADLK, () -> a.metadata.lock(y, lockOn(1, true), true, false));
    assertThat(waiting).isNotDone();
    a.metadata.unlock(x, lockOn(1, false));
    waiting.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    refused(Errno.EAGAIN, () -> a.metadata.lock(x, lockOn(1, true), false, false));
    CompletableFuture<Void> another =
        CompletableFuture.runAsync(() -> a.metadata.lock(x, lockOn(1, true), true, false));
    b.close();
    another.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  @Test
  void anInterruptedWaitLeavesNothing() throws Exception {
    InodeId x = openByBoth("x");
    a.metadata.lock(x, lockOn(1, false), false, false);
    AtomicReference<Throwable> outcome = new AtomicReference<>();
    Thread waiting =
        new Thread(
            () -> {
              try {
                b.metadata.lock(x, lockOn(1, true), true, false);
              } catch (FsException e) {
                outcome.set(e);
              }
            },
            "waiting");
    waiting.start();
    await("a turn", () -> !mayShare(x));
    waiting.interrupt();
    waiting.join(PATIENCE.toMillis());
    assertThat(outcome.get())
        .isInstanceOfSatisfying(
            FsException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EINTR));
    assertThat(mayShare(x)).isTrue();
    a.metadata.endLocks(x, 1, false);
    assertThat(a.metadata.conflicting(x, lockOn(1, true))).isNull();
  }

  /** Who shares what is held has to wait behind who waits. */
  private boolean mayShare(InodeId inode) {
    try {
      a.metadata.lock(inode, lockOn(2, false), false, false);
    } catch (FsException e) {
      assertThat(e.errno()).isEqualTo(Errno.EAGAIN);
      return false;
    }
    a.metadata.endLocks(inode, 2, false);
    return true;
  }
}
