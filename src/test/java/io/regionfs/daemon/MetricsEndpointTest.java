package io.regionfs.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class MetricsEndpointTest {
  private static final InetSocketAddress ANY =
      new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

  private static String get(MetricsEndpoint endpoint, String path, int code) throws IOException {
    URI uri = URI.create("http://" + Addresses.text(endpoint.address()) + path);
    HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection();
    try {
      assertThat(connection.getResponseCode()).isEqualTo(code);
      var body = code == 200 ? connection.getInputStream() : connection.getErrorStream();
      return new String(body.readAllBytes(), StandardCharsets.UTF_8);
    } finally {
      connection.disconnect();
    }
  }

  @Test
  void prometheusReadsWhatIsCounted() throws Exception {
    try (MetricsEndpoint endpoint = MetricsEndpoint.open(ANY)) {
      endpoint.registry().counter("regionfs.test", "kind", "x").increment(3);
      assertThat(get(endpoint, "/metrics", 200))
          .contains("regionfs_test_total{kind=\"x\"} 3.0", "jvm_memory_used_bytes");
      assertThat(get(endpoint, "/", 200)).contains("/metrics").hasLineCount(1);
      get(endpoint, "/other", 404);
      assertThatThrownBy(() -> MetricsEndpoint.open(endpoint.address()).close())
          .hasMessageContainingAll("cannot listen", "--metrics-listen");
    }
  }
}
