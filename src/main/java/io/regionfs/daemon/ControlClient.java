package io.regionfs.daemon;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Sends one command to a running node; see {@link ControlServer}. */
public final class ControlClient {
  private ControlClient() {}

  /**
   * @return the reply without its {@code ok}
   * @throws CommandFailure with the node's own message, or because it does not answer in time
   */
  public static Map<String, @Nullable Object> ask(
      RunningMounts.Entry node,
      Map<String, ? extends @Nullable Object> request,
      Duration deadline) {
    CompletableFuture<String> line = new CompletableFuture<>();
    Thread asking = new Thread(() -> exchange(node, request, line), "control-ask");
    asking.setDaemon(true);
    asking.start();
    Map<String, @Nullable Object> reply;
    try {
      reply =
          new LinkedHashMap<>(
              Json.parseObject(line.get(deadline.toMillis(), TimeUnit.MILLISECONDS)));
    } catch (ExecutionException e) {
      throw new CommandFailure(
          "process "
              + node.pid()
              + " of "
              + node.mountPoint()
              + " does not answer: "
              + e.getCause(),
          e);
    } catch (TimeoutException e) {
      throw new CommandFailure(
          "process "
              + node.pid()
              + " of "
              + node.mountPoint()
              + " did not answer within "
              + deadline.toSeconds()
              + " s: see its log in "
              + node.stateDirectory(),
          e);
    } catch (InterruptedException e) {
      throw new CommandFailure("interrupted", e);
    }
    if (!Boolean.TRUE.equals(reply.remove("ok"))) {
      throw new CommandFailure(String.valueOf(reply.get("error")));
    }
    return reply;
  }

  private static void exchange(
      RunningMounts.Entry node,
      Map<String, ? extends @Nullable Object> request,
      CompletableFuture<String> line) {
    try (SocketChannel channel =
        SocketChannel.open(UnixDomainSocketAddress.of(node.controlSocket()))) {
      ByteBuffer bytes =
          ByteBuffer.wrap((Json.write(request) + "\n").getBytes(StandardCharsets.UTF_8));
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      BufferedReader in = new BufferedReader(Channels.newReader(channel, StandardCharsets.UTF_8));
      String reply = in.readLine();
      if (reply == null) {
        throw new IOException("it ended");
      }
      line.complete(reply);
    } catch (IOException | RuntimeException e) {
      line.completeExceptionally(e);
    }
  }
}
