package io.regionfs.daemon;

import io.regionfs.meta.Export;
import io.regionfs.meta.Metadata;
import io.regionfs.meta.Node;
import io.regionfs.model.Attributes;
import io.regionfs.model.InodeId;
import io.regionfs.model.NodeId;
import io.regionfs.proto.HomeCall;
import io.regionfs.proto.Ping;
import io.regionfs.proto.RegionReport;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.rpc.RpcClient;
import io.regionfs.rpc.RpcException;
import io.regionfs.rpc.RpcTransport;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Asks the metadata service and the home about one region.
 *
 * @param fabric of this node
 */
record RegionReporter(Metadata metadata, RpcTransport transport, NodeId self, String fabric) {
  private static final Duration DEADLINE = Duration.ofSeconds(5);

  /**
   * @param inode as it came in the request
   */
  Map<String, @Nullable Object> report(@Nullable Object inode) {
    if (!(inode instanceof Long number)) {
      throw new CommandFailure("an inode number is missing");
    }
    Attributes attributes = metadata.attributes(new InodeId(number));
    Node home = metadata.node(attributes.home());
    Map<String, @Nullable Object> report = new LinkedHashMap<>();
    report.put("inode", number);
    Map<String, @Nullable Object> where = new LinkedHashMap<>();
    where.put("id", home.id().value());
    where.put("name", home.name());
    where.put("alive", home.alive());
    where.put("dataAddress", Addresses.text(home.data()));
    where.put("fabric", home.fabric());
    report.put("home", where);
    boolean local = home.id().equals(self);
    report.put("local", local);
    report.put("fabric", local ? "local" : fabric);
    report.put("size", attributes.size());
    report.put("allocatedBytes", attributes.allocatedBytes());
    Export export = metadata.export(new InodeId(number));
    report.put("lifetime", export == null ? "file" : "owner");
    if (export != null) {
      report.put("exporter", export.exporter().pid());
    }
    RegionReport atHome = home.alive() ? ask(home, number) : null;
    if (atHome != null) {
      report.put("size", atHome.getSize());
      report.put("allocatedBytes", atHome.getAllocatedBytes());
      report.put("generation", Long.toHexString(atHome.getGeneration()));
      report.put("exposures", atHome.getExposures());
      report.put("pinnedBytes", atHome.getPinnedBytes());
      report.put("passedThrough", atHome.getDirect());
    }
    return report;
  }

  /** Null if the home has no such region: nothing was written to it yet. */
  private @Nullable RegionReport ask(Node home, long inode) {
    Request request =
        Request.newBuilder()
            .setClientId(1)
            .setHome(HomeCall.newBuilder().setInode(inode).setDescribe(Ping.getDefaultInstance()))
            .build();
    try (RpcClient client = transport.client(home.rpc())) {
      Reply reply = client.call(request, DEADLINE);
      return reply.getErrno() == 0 ? reply.getHome().getReport() : null;
    } catch (RpcException e) {
      throw new CommandFailure(
          "the home, " + home.name() + ", does not answer: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      throw new CommandFailure("interrupted", e);
    }
  }
}
