package io.regionfs.daemon;

import com.google.errorprone.annotations.MustBeClosed;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Answers Prometheus at {@code /metrics} with what this process counts. Everything in it is public
 * to whoever reaches the address.
 */
final class MetricsEndpoint implements AutoCloseable {
  private static final String PATH = "/metrics";
  private static final String TEXT = "text/plain; charset=utf-8";
  private static final String PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8";
  private static final int THREADS = 2;

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final JvmGcMetrics collections = new JvmGcMetrics();
  private final HttpServer server;
  private final ExecutorService threads =
      Executors.newFixedThreadPool(
          THREADS,
          task -> {
            Thread thread = new Thread(task, "metrics");
            thread.setDaemon(true);
            return thread;
          });

  private MetricsEndpoint(HttpServer server) {
    this.server = server;
    new JvmMemoryMetrics().bindTo(registry);
    new JvmThreadMetrics().bindTo(registry);
    collections.bindTo(registry);
    server.setExecutor(threads);
    server.createContext("/", this::answer);
  }

  /**
   * @throws IOException if the address cannot be listened at
   */
  @MustBeClosed
  static MetricsEndpoint open(InetSocketAddress address) throws IOException {
    try {
      MetricsEndpoint endpoint = new MetricsEndpoint(HttpServer.create(address, 0));
      endpoint.server.start();
      return endpoint;
    } catch (IOException e) {
      throw new IOException(
          "cannot listen at "
              + Addresses.text(address)
              + ": "
              + e.getMessage()
              + " (give another --metrics-listen)",
          e);
    }
  }

  /** Where to count. */
  MeterRegistry registry() {
    return registry;
  }

  InetSocketAddress address() {
    return server.getAddress();
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      String path = exchange.getRequestURI().getPath();
      if (!"GET".equals(exchange.getRequestMethod())) {
        reply(exchange, 405, TEXT, "only GET is answered\n");
      } else if (PATH.equals(path)) {
        reply(exchange, 200, PROMETHEUS, registry.scrape());
      } else if ("/".equals(path)) {
        reply(exchange, 200, TEXT, "RegionFS: " + PATH + " has the metrics, for Prometheus\n");
      } else {
        reply(exchange, 404, TEXT, "only " + PATH + " is here\n");
      }
    }
  }

  private static void reply(HttpExchange exchange, int code, String type, String text)
      throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", type);
    exchange.sendResponseHeaders(code, bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
    collections.close();
    registry.close();
  }
}
