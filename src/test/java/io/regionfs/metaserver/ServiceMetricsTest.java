package io.regionfs.metaserver;

import static io.regionfs.metaserver.state.Tree.ROOT;
import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.regionfs.metaserver.state.Replica;
import io.regionfs.metaserver.state.Tree;
import io.regionfs.proto.FileType;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Query;
import io.regionfs.proto.Request;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class ServiceMetricsTest {
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final Replica replica = new Replica();

  private long calls(String kind) {
    return registry.get("regionfs.meta.calls").tag("kind", kind).timer().count();
  }

  private double gauge(String name) {
    return registry.get("regionfs.meta." + name).gauge().value();
  }

  @Test
  void callsAreCountedByKindAndTheStateIsShown() {
    ElectedLog log = new ElectedLog(replica);
    try (MetadataService service =
        new MetadataService(
            new MetadataOptions("cluster", "here", Duration.ofSeconds(10)),
            replica,
            log,
            null,
            null,
            registry)) {
      assertThat(gauge("leads")).isZero();
      replica.apply(Tree.openSession(5));
      log.elect(true, 4, "here");
      assertThat(gauge("leads")).isEqualTo(1);
      assertThat(gauge("term")).isEqualTo(4);
      Operation.Builder create =
          Operation.newBuilder().setCreate(Tree.creation(ROOT, "d", FileType.FILE_TYPE_DIRECTORY));
      Request.Builder request = Request.newBuilder().setClientId(5).setVersion(1);
      service.handle(request.setSequence(1).setOperation(create).build(), reply -> {});
      for (int i = 0; i < 3; i++) {
        service.handle(
            request.setQuery(Query.newBuilder().setAttributesOf(ROOT)).build(), reply -> {});
      }
    }
    assertThat(calls("create")).isEqualTo(1);
    assertThat(calls("attributes_of")).isEqualTo(3);
    assertThat(calls("rename")).isZero();
    assertThat(registry.get("regionfs.meta.commits").timer().count()).isEqualTo(1);
    assertThat(gauge("inodes")).isEqualTo(2);
    assertThat(gauge("sessions")).isEqualTo(1);
    assertThat(gauge("leases.held")).isZero();
  }
}
