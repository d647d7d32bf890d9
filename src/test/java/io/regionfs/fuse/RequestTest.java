package io.regionfs.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.regionfs.model.FsException;
import io.regionfs.posix.Memory;
import org.junit.jupiter.api.Test;

/** A request whose names or data stand apart from its header and struct, as io_uring brings it. */
class RequestTest {
  private static final int SPLIT = RequestLayout.Mkdir.NAME;

  @Test
  void readsAcrossTheSplitAsIfThereWereNone() {
    try (MappedBuffer whole = new MappedBuffer(FuseLimits.BUFFER_BYTES, () -> {});
        MappedBuffer apart = new MappedBuffer(FuseLimits.BUFFER_BYTES, () -> {})) {
      int length =
          new RequestBuilder(Opcode.MKDIR, 8, 77).int32(0755, 022).string("name").into(whole);
      long head = Memory.allocate(SPLIT);
      Memory.copy(whole.address(), head, SPLIT);
      Memory.copy(whole.address() + SPLIT, apart.address(), length - SPLIT);
      Request request = new Request(apart);
      request.received(head, SPLIT, length);
      assertThat(request.opcode()).isEqualTo(Opcode.MKDIR);
      assertThat(request.node().value()).isEqualTo(77);
      assertThat(request.int32(RequestLayout.Mkdir.MODE)).isEqualTo(0755);
      assertThat(request.name(RequestLayout.Mkdir.NAME)).hasToString("name");
      assertThat(request.inBuffer(RequestLayout.Mkdir.NAME)).isZero();
      assertThatThrownBy(() -> request.int64(length - 7)).isInstanceOf(FsException.class);
      Memory.free(head);
    }
  }
}
