package io.regionfs.metaserver;

import static io.regionfs.metaserver.state.Tree.ROOT;
import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.regionfs.metaserver.Leading.Clocks;
import io.regionfs.metaserver.state.Replica;
import io.regionfs.metaserver.state.Tree;
import io.regionfs.proto.AddNode;
import io.regionfs.proto.Attributes;
import io.regionfs.proto.FileType;
import io.regionfs.proto.HomeReply;
import io.regionfs.proto.Membership;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Query;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.proto.Settle;
import io.regionfs.proto.Time;
import io.regionfs.rpc.RpcHandler;
import io.regionfs.rpc.RpcServer;
import io.regionfs.rpc.local.LocalTransport;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What becomes of files whose writers are gone. */
@SuppressWarnings("MustBeClosedChecker") // the transport closes its servers
class SettlingTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private volatile Instant now = Instant.parse("2026-01-01T00:00:00Z");
  private final Replica replica = new Replica();
  private final ElectedLog log = new ElectedLog(replica);
  private final LocalTransport transport = new LocalTransport();
  private final MetadataService service =
      new MetadataService(
          new MetadataOptions("cluster", "here", Duration.ofSeconds(10)),
          replica,
          log,
          null,
          transport,
          new CompositeMeterRegistry(),
          new Clocks(() -> now, () -> now));
  private final AtomicInteger asked = new AtomicInteger();
  private long sequence;

  @AfterEach
  void close() {
    service.close();
    transport.close();
  }

  @BeforeEach
  void openSession() {
    replica.apply(Tree.openSession(5));
  }

  private Reply call(Request.Builder request) {
    List<Reply> replies = new CopyOnWriteArrayList<>();
    request.setClientId(5).setVersion(1).setSequence(++sequence);
    service.handle(request.build(), replies::add);
    await(() -> !replies.isEmpty());
    assertThat(replies.get(0).getErrno()).as(replies.get(0).getDetail()).isZero();
    return replies.get(0);
  }

  private static void await(BooleanSupplier condition) {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("waited too long").isLessThan(end);
      LockSupport.parkNanos(1_000_000);
    }
  }

  private int join(String name, int port) {
    AddNode identity =
        AddNode.newBuilder()
            .setName(name)
            .setKey(port)
            .setRpcAddress("127.0.0.1:" + port)
            .setDataAddress("127.0.0.1:1")
            .build();
    Membership.Builder join = Membership.newBuilder().setJoin(identity);
    return call(Request.newBuilder().setMembership(join)).getJoined().getNode();
  }

  private RpcServer serveHome(int port) throws Exception {
    RpcHandler home =
        (request, responder) -> {
          if (request.hasHome()) {
            asked.incrementAndGet();
            Settle stat =
                Settle.newBuilder().setSize(4711).setMtime(Time.newBuilder().setSeconds(9)).build();
            responder.reply(
                Reply.newBuilder().setHome(HomeReply.newBuilder().setStat(stat)).build());
          } else {
            responder.reply(Reply.getDefaultInstance());
          }
        };
    return transport.serve(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), home);
  }

  private long createOpenBy(int node, int home) {
    Operation.Builder create =
        Operation.newBuilder()
            .setCreate(
                Tree.creation(ROOT, "f", FileType.FILE_TYPE_FILE)
                    .setHome(home)
                    .setOpenBy(node)
                    .setOpenForWrite(true));
    return call(Request.newBuilder().setOperation(create)).getAttributes().getInode();
  }

  private Attributes attributes(long inode) {
    return call(Request.newBuilder().setQuery(Query.newBuilder().setAttributesOf(inode)))
        .getAttributes();
  }

  private void leave(int node) {
    call(Request.newBuilder().setMembership(Membership.newBuilder().setLeave(node)));
  }

  @Test
  void theHomesValuesAreTakenWhenTheWriterIsGone() throws Exception {
    log.elect(true, 1, "here");
    serveHome(7001);
    int home = join("home", 7001);
    int writer = join("writer", 7002);
    long file = createOpenBy(writer, home);
    assertThat(attributes(file).getAtHome()).isTrue();
    leave(writer);
    await(() -> !attributes(file).getAtHome());
    assertThat(attributes(file).getSize()).isEqualTo(4711);
  }

  @Test
  void aHomeThatIsAwayIsAskedWhenItJoins() throws Exception {
    log.elect(true, 1, "here");
    int home = join("home", 7001);
    int writer = join("writer", 7002);
    long file = createOpenBy(writer, home);
    leave(home);
    leave(writer);
    assertThat(attributes(file).getAtHome()).isTrue();
    serveHome(7001);
    join("home", 7001);
    await(() -> !attributes(file).getAtHome());
  }

  @Test
  void aNewLeaderLooksForThem() throws Exception {
    log.elect(true, 1, "here");
    int home = join("home", 7001);
    int writer = join("writer", 7002);
    long file = createOpenBy(writer, home);
    leave(writer);
    serveHome(7001);
    log.elect(true, 2, "here");
    await(() -> !attributes(file).getAtHome());
  }

  @Test
  void whatIsWrittenIsLeftAlone() throws Exception {
    log.elect(true, 1, "here");
    serveHome(7001);
    int home = join("home", 7001);
    int writer = join("writer", 7002);
    long file = createOpenBy(writer, home);
    int other = join("other", 7003);
    leave(other);
    log.elect(true, 2, "here");
    join("another", 7004);
    now = now.plusSeconds(3);
    service.tick();
    assertThat(attributes(file).getAtHome()).isTrue();
    assertThat(asked.get()).isZero();
  }
}
