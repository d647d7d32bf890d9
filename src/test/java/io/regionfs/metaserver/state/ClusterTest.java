package io.regionfs.metaserver.state;

import static io.regionfs.metaserver.state.Tree.ROOT;
import static io.regionfs.metaserver.state.Tree.errno;
import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.meta.Messages;
import io.regionfs.model.Errno;
import io.regionfs.proto.AddReplica;
import io.regionfs.proto.Attributes;
import io.regionfs.proto.Found;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Reply;
import org.junit.jupiter.api.Test;

/** Founding, and the replicas that take part. */
class ClusterTest {
  private final Tree tree = new Tree();

  private Reply found(String id, int uid) {
    Found found = Found.newBuilder().setClusterId(id).setUid(uid).setGid(uid + 1).build();
    return tree.run(Operation.newBuilder().setFound(found));
  }

  private Reply add(int id, long disk) {
    AddReplica replica = AddReplica.newBuilder().setId(id).setDisk(disk).build();
    return tree.run(Operation.newBuilder().setAddReplica(replica));
  }

  @Test
  void theFirstFounderWins() {
    assertThat(tree.namespace.clusterId()).isEmpty();
    assertThat(errno(found("", 1))).isEqualTo(Errno.EINVAL);
    assertThat(found("one", 10).getValue().toStringUtf8()).isEqualTo("one");
    Attributes root = tree.attributes(ROOT);
    assertThat(root.getUid()).isEqualTo(10);
    assertThat(root.getGid()).isEqualTo(11);
    assertThat(Messages.nanos(root.getBtime())).isEqualTo(tree.now());
    assertThat(found("two", 20).getValue().toStringUtf8()).isEqualTo("one");
    assertThat(tree.attributes(ROOT)).isEqualTo(root);
    assertThat(tree.namespace.clusterId()).isEqualTo("one");
  }

  @Test
  void aReplicaKeepsItsDisk() {
    assertThat(tree.namespace.knownDisk(1)).isZero();
    assertThat(add(1, 77).getErrno()).isZero();
    assertThat(add(1, 77).getErrno()).isZero();
    Reply refused = add(1, 78);
    assertThat(errno(refused)).isEqualTo(Errno.EEXIST);
    assertThat(refused.getDetail()).contains("replica 1").contains("never used");
    assertThat(tree.namespace.knownDisk(1)).isEqualTo(77);
    assertThat(errno(add(0, 77))).isEqualTo(Errno.EINVAL);
    assertThat(errno(add(2, 0))).isEqualTo(Errno.EINVAL);
  }
}
