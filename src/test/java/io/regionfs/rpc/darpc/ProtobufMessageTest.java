package io.regionfs.rpc.darpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.regionfs.proto.Reply;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class ProtobufMessageTest {
  private static final int TICKET_BYTES = Integer.BYTES;

  @Test
  void messagesOfAllLengthsAreReadBackAndNoneIsShort() throws Exception {
    for (int payload = 0; payload < 100; payload++) {
      Reply reply = replyOf(payload);
      ByteBuffer buffer = ByteBuffer.allocateDirect(200);
      int bytes = written(reply, buffer);
      assertThat(bytes).isGreaterThan(32).isLessThanOrEqualTo(Math.max(36, 12 + payload));
      buffer.position(TICKET_BYTES);
      assertThat(Reply.parseFrom(ProtobufMessage.received(buffer, bytes))).isEqualTo(reply);
    }
  }

  @Test
  void whatWasInTheBufferBeforeIsNotSent() throws Exception {
    ByteBuffer buffer = ByteBuffer.allocateDirect(200);
    for (int i = 0; i < buffer.capacity(); i++) {
      buffer.put(i, (byte) 1);
    }
    int bytes = written(Reply.getDefaultInstance(), buffer);
    for (int i = TICKET_BYTES; i < bytes; i++) {
      assertThat(buffer.get(i)).as("byte %d", i).isZero();
    }
  }

  @Test
  void lengthsThatCannotBeTrueAreRefused() {
    for (int length : new int[] {-1, 29, Integer.MAX_VALUE}) {
      ByteBuffer buffer = ByteBuffer.allocate(36).putInt(TICKET_BYTES, length);
      assertThatThrownBy(() -> ProtobufMessage.received(buffer.position(TICKET_BYTES), 36))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("a length of " + length);
    }
    assertThatThrownBy(() -> ProtobufMessage.received(ByteBuffer.allocate(36), 7))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("only 7 bytes");
  }

  private static Reply replyOf(int payload) {
    return Reply.newBuilder().setValue(ByteString.copyFrom(new byte[payload])).build();
  }

  /** As DaRPC does it; how many bytes there are with the ticket. */
  private static int written(Reply reply, ByteBuffer buffer) throws IOException {
    buffer.position(TICKET_BYTES);
    return TICKET_BYTES + new ProtobufMessage(reply).write(buffer);
  }
}
