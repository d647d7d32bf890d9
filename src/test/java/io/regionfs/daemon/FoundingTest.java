package io.regionfs.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.regionfs.model.Errno;
import io.regionfs.proto.Administration;
import io.regionfs.proto.AdministrationReply;
import io.regionfs.proto.Ping;
import io.regionfs.proto.Query;
import io.regionfs.proto.Reply;
import io.regionfs.rpc.RpcClient;
import io.regionfs.rpc.local.LocalTransport;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SuppressWarnings("MustBeClosedChecker") // the transport closes its clients and servers
class FoundingTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final Peers PEERS =
      Peers.parse(List.of("1=127.0.0.1:7000", "2=127.0.0.1:7002", "3=127.0.0.1:7004"));

  private final LocalTransport transport = new LocalTransport();

  @TempDir private Path directory = Path.of("");

  @AfterEach
  void close() {
    transport.close();
  }

  private static InetSocketAddress address(int id) {
    return Objects.requireNonNull(PEERS.addresses().get(id));
  }

  private Founding start(int id) throws Exception {
    ReplicaIdentity identity =
        ReplicaIdentity.in(
            Directories.makePrivate(directory.resolve("r" + id)), id, Addresses.text(address(id)));
    Map<Integer, RpcClient> others = new TreeMap<>();
    PEERS.addresses().forEach((other, where) -> others.put(other, transport.client(where)));
    others.remove(id);
    Founding founding =
        new Founding(new Introduction(identity, PEERS, false), others, transport::client);
    transport.serve(address(id), founding);
    return founding;
  }

  @Test
  void aJoinerFindsALeaderThatItsListDoesNotName() throws Exception {
    AdministrationReply.Builder known =
        AdministrationReply.newBuilder()
            .setClusterId("c")
            .setTerm(2)
            .setLeader(3)
            .setLastLogIndex(9)
            .addAllVoters(PEERS.messages());
    for (int id : List.of(1, 3)) {
      Reply reply = Reply.newBuilder().setAdministration(known.clone().setId(id)).build();
      transport.serve(address(id), (request, responder) -> responder.reply(reply));
    }
    Peers list = Peers.parse(List.of("1=127.0.0.1:7000", "4=127.0.0.1:7006"));
    ReplicaIdentity identity =
        ReplicaIdentity.in(Directories.makePrivate(directory.resolve("r4")), 4, "127.0.0.1:7006");
    Founding joiner =
        new Founding(
            new Introduction(identity, list, true),
            Map.of(1, transport.client(address(1))),
            transport::client);
    assertThat(Objects.requireNonNull(joiner.attempt()).clusterId()).isEqualTo("c");
  }

  @Test
  void onlyTheLowestFoundsAndOnlyWithAll() throws Exception {
    Founding third = start(3);
    assertThat(third.attempt()).isNull();
    Founding first = start(1);
    assertThat(first.attempt()).isNull();
    assertThat(first.state()).contains("waits for replica 2 at 127.0.0.1:7002");
    Founding second = start(2);
    assertThat(second.attempt()).isNull();
    assertThat(second.state()).contains("replica 1 to found");
    ReplicaIdentity founder = Objects.requireNonNull(first.attempt());
    assertThat(founder.voters()).containsExactly(PEERS.text().split(","));
  }

  @Test
  void whoWaitsSaysSoToAllWhoAsk() throws Exception {
    Founding first = start(1);
    assertThat(first.attempt()).isNull();
    RpcClient client = transport.client(address(1));
    Reply status =
        client.call(
            ReplicaCalls.request(Administration.newBuilder().setStatus(Ping.getDefaultInstance())),
            PATIENCE);
    assertThat(status.getAdministration().getId()).isEqualTo(1);
    assertThat(status.getAdministration().getTrouble()).startsWith("waits for");
    Reply query =
        client.call(
            ReplicaCalls.envelope(5)
                .setQuery(Query.newBuilder().setSpace(Ping.getDefaultInstance()))
                .build(),
            PATIENCE);
    assertThat(query.getErrno()).isEqualTo(Errno.EAGAIN.code());
  }

  @Test
  void anIdentityStaysOnItsDisk() throws Exception {
    Path state = Directories.makePrivate(directory.resolve("state"));
    ReplicaIdentity identity = ReplicaIdentity.in(state, 2, "127.0.0.1:7002");
    assertThat(ReplicaIdentity.in(state, 2, "127.0.0.1:7002")).isEqualTo(identity);
    identity.in("cluster", List.of("1=a", "2=b")).keep(state);
    ReplicaIdentity member = ReplicaIdentity.in(state, 2, "127.0.0.1:7002");
    assertThat(member.clusterId()).isEqualTo("cluster");
    assertThat(member.voters()).containsExactly("1=a", "2=b");
    assertThat(member.disk()).isEqualTo(identity.disk());
    assertThatThrownBy(() -> ReplicaIdentity.in(state, 3, "127.0.0.1:7002"))
        .hasMessageContainingAll("belongs to replica 2", "--id 3");
    Files.writeString(state.resolve("replica.properties"), "id=two\n");
    assertThatThrownBy(() -> ReplicaIdentity.in(state, 2, "127.0.0.1:7002"))
        .hasMessageContaining("damaged");
  }
}
