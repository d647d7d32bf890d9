package io.regionfs.daemon;

import com.google.errorprone.annotations.MustBeClosed;
import io.regionfs.model.FsException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers commands of this host's user to a running node, on a Unix socket: one JSON object per
 * line in, one out. A request names its {@code command}; a reply has {@code ok} and, if that is
 * false, {@code error}. Whoever can enter the socket's directory may ask. One thread accepts, a few
 * answer; an answer may wait for other hosts.
 */
final class ControlServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ControlServer.class);
  private static final int ANSWERING_THREADS = 4;

  /** Answers one request, or throws FsException or CommandFailure. */
  interface Commands {
    Map<String, @Nullable Object> answer(String command, Map<String, @Nullable Object> request);
  }

  private final Commands commands;
  private final ServerSocketChannel channel;
  private final Path socket;
  private final ExecutorService answering;
  private final Thread accepting;

  @MustBeClosed
  ControlServer(Path socket, Commands commands) throws IOException {
    this.commands = commands;
    this.socket = socket;
    Files.deleteIfExists(socket);
    channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      channel.bind(UnixDomainSocketAddress.of(socket));
    } catch (IOException e) {
      channel.close();
      throw e;
    }
    answering =
        Executors.newFixedThreadPool(
            ANSWERING_THREADS,
            task -> {
              Thread thread = new Thread(task, "control-answer");
              thread.setDaemon(true);
              return thread;
            });
    accepting = new Thread(this::accept, "control");
    accepting.setDaemon(true);
    accepting.start();
  }

  @SuppressWarnings("FutureReturnValueIgnored") // serve() handles its own failures
  private void accept() {
    try {
      while (true) {
        SocketChannel client = channel.accept();
        answering.submit(() -> serve(client));
      }
    } catch (ClosedChannelException e) {
      LOG.debug("control socket closed");
    } catch (IOException | RuntimeException e) {
      LOG.error("control socket {} failed: commands to this mount will not work", socket, e);
    }
  }

  private void serve(SocketChannel client) {
    try (client;
        BufferedReader in = new BufferedReader(Channels.newReader(client, StandardCharsets.UTF_8));
        OutputStream out = Channels.newOutputStream(client)) {
      String line = in.readLine();
      if (line != null) {
        out.write((Json.write(reply(line)) + "\n").getBytes(StandardCharsets.UTF_8));
      }
    } catch (IOException e) {
      LOG.debug("a command's caller went away", e);
    }
  }

  private Map<String, @Nullable Object> reply(String line) {
    Map<String, @Nullable Object> reply = new LinkedHashMap<>();
    try {
      Map<String, @Nullable Object> request = Json.parseObject(line);
      Object command = request.get("command");
      reply.put("ok", true);
      reply.putAll(commands.answer(String.valueOf(command), request));
    } catch (CommandFailure | FsException | IllegalArgumentException e) {
      reply.put("ok", false);
      reply.put("error", e.getMessage());
    } catch (RuntimeException e) {
      LOG.error("command failed: {}", line, e);
      reply.put("ok", false);
      reply.put("error", "internal error: " + e);
    }
    return reply;
  }

  @Override
  public void close() throws IOException {
    channel.close();
    answering.shutdownNow();
    Files.deleteIfExists(socket);
  }
}
