package io.regionfs.rpc.darpc;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.MessageLite;
import com.ibm.darpc.DaRPCMessage;
import com.ibm.darpc.DaRPCProtocol;
import io.regionfs.rpc.RpcTransport;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A protobuf message as DaRPC sends it: after DaRPC's own ticket (4 bytes) come the length of the
 * message (4 bytes, big-endian), the message, and zeros up to the {@link #SHORTEST_BYTES}.
 */
final class ProtobufMessage implements DaRPCMessage {
  private static final int TICKET_BYTES = Integer.BYTES;
  private static final int LENGTH_BYTES = Integer.BYTES;
  private static final int HEADER_BYTES = TICKET_BYTES + LENGTH_BYTES;

  /**
   * With the header. Soft-iWARP garbles messages of up to 32 bytes whose buffer crosses a page,
   * when its own thread sends them (siw_try_1seg takes the length of one part for that of the
   * other).
   */
  private static final int SHORTEST_BYTES = 36;

  private final MessageLite message;

  /** The message is at most {@link RpcTransport#MAX_MESSAGE_BYTES} long: writing never fails. */
  ProtobufMessage(MessageLite message) {
    this.message = message;
  }

  @Override
  public int write(ByteBuffer buffer) throws IOException {
    int length = message.getSerializedSize();
    buffer.putInt(length);
    CodedOutputStream out = CodedOutputStream.newInstance(buffer);
    message.writeTo(out);
    out.flush();
    int written = LENGTH_BYTES + length;
    for (; written < SHORTEST_BYTES - TICKET_BYTES; written++) {
      buffer.put((byte) 0);
    }
    return written;
  }

  @Override
  public void update(ByteBuffer buffer) {
    throw new UnsupportedOperationException("what is received is parsed by its endpoint");
  }

  @Override
  public int size() {
    return LENGTH_BYTES + RpcTransport.MAX_MESSAGE_BYTES;
  }

  /**
   * The message in a receive buffer whose ticket has been read.
   *
   * @throws IOException if the peer's length cannot be true
   */
  static ByteBuffer received(ByteBuffer buffer, int receivedBytes) throws IOException {
    if (receivedBytes < HEADER_BYTES) {
      throw new IOException("a message of only " + receivedBytes + " bytes");
    }
    int length = buffer.getInt();
    if (length < 0 || length > receivedBytes - HEADER_BYTES) {
      throw new IOException("a length of " + length + " in " + receivedBytes + " bytes");
    }
    return buffer.slice(HEADER_BYTES, length);
  }

  /** DaRPC asks it only for the size of its buffers. */
  static final class Protocol implements DaRPCProtocol<ProtobufMessage, ProtobufMessage> {
    private static final ProtobufMessage EMPTY =
        new ProtobufMessage(io.regionfs.proto.Ping.getDefaultInstance());

    @Override
    public ProtobufMessage createRequest() {
      return EMPTY;
    }

    @Override
    public ProtobufMessage createResponse() {
      return EMPTY;
    }
  }
}
