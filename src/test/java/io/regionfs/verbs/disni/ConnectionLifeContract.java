package io.regionfs.verbs.disni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.errorprone.annotations.MustBeClosed;
import io.regionfs.posix.Memory;
import io.regionfs.verbs.Access;
import io.regionfs.verbs.Batch;
import io.regionfs.verbs.Connection;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.FabricListener;
import io.regionfs.verbs.RegisteredMemory;
import io.regionfs.verbs.TransferException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/** How the ends of a connection notice each other's life and death. */
abstract class ConnectionLifeContract {
  static final Duration LONG = Duration.ofSeconds(60);
  private static final Duration NEVER = Duration.ofHours(1);

  /** Neither beats nor expects it. */
  static final Pulse MUTE = new Pulse(NEVER, NEVER, NEVER);

  static final Pulse QUICK =
      new Pulse(Duration.ofMillis(100), Duration.ofSeconds(2), Duration.ofSeconds(2));

  abstract InetAddress address() throws IOException;

  @MustBeClosed
  abstract DisniFabric open(Pulse pulse) throws IOException;

  static void await(String what, BooleanSupplier condition) throws InterruptedException {
    long until = System.nanoTime() + LONG.toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime() - until).as("still waiting: %s", what).isNegative();
      Thread.sleep(5);
    }
  }

  @MustBeClosed
  FabricListener listen(Fabric home) throws IOException {
    return home.listen(new InetSocketAddress(address(), 0));
  }

  @Test
  void anAcceptedConnectionEndsWithItsQueuePair() throws Exception {
    try (DisniFabric home = open(MUTE);
        FabricListener listener = listen(home);
        Fabric borrower = open(MUTE);
        Connection first = borrower.connect(listener.address(), LONG)) {
      await("accepted", () -> listener.connections() == 1);
      int number = ((DisniListener) listener).queuePairs().get(0);
      try (Connection second = borrower.connect(listener.address(), LONG)) {
        await("accepted too", () -> listener.connections() == 2);
        home.endQueuePair(number, "under test");
        await("dropped", () -> listener.connections() == 1);
        await("the borrower to notice", () -> !first.isOpen());
        assertThat(second.isOpen()).isTrue();
      }
    }
  }

  /** Until one is too late. */
  @SuppressWarnings("InfiniteLoopStatement")
  private static void executeForEver(Connection connection, Batch batch) throws Exception {
    while (true) {
      connection.execute(batch, Duration.ofNanos(1));
    }
  }

  @Test
  void aPeerWithoutAPulseIsDropped() throws Exception {
    try (Fabric home = open(QUICK);
        FabricListener listener = listen(home);
        Fabric borrower = open(MUTE);
        Connection connection = borrower.connect(listener.address(), LONG)) {
      await("accepted", () -> listener.connections() == 1);
      await("dropped", () -> listener.connections() == 0);
      await("the borrower to notice", () -> !connection.isOpen());
    }
  }

  @Test
  void anIdlePeerIsKeptAsLongAsItLives() throws Exception {
    try (Fabric home = open(QUICK);
        FabricListener listener = listen(home);
        Fabric borrower = open(QUICK);
        Connection connection = borrower.connect(listener.address(), LONG)) {
      long end = System.nanoTime() + QUICK.patience().multipliedBy(3).toNanos();
      await("the time", () -> System.nanoTime() - end > 0);
      assertThat(connection.isOpen()).isTrue();
      assertThat(listener.connections()).isEqualTo(1);
    }
  }

  @Test
  @SuppressWarnings("MustBeClosedChecker") // it ends by itself
  void aConnectionThatIsMadeAgainReplacesTheOneThatEndedInFlight() throws Exception {
    long bytes = 8 << 20;
    long lent = Memory.allocate(bytes);
    long own = Memory.allocate(bytes);
    try (Fabric home = open(MUTE);
        FabricListener listener = listen(home);
        Fabric borrower = open(MUTE);
        RegisteredMemory remote = home.register(lent, bytes, Access.REMOTE_WRITE);
        RegisteredMemory local = borrower.register(own, bytes, Access.LOCAL)) {
      for (int round = 0; round < 5; round++) {
        Connection ended = borrower.connect(listener.address(), LONG);
        Batch batch = ended.newBatch();
        batch.write(own, local.localKey(), lent, remote.remoteKey(), (int) bytes);
        assertThatThrownBy(() -> executeForEver(ended, batch))
            .isInstanceOf(TransferException.class);
        try (Connection next = borrower.connect(listener.address(), LONG)) {
          await("only the new one", () -> listener.connections() == 1);
          Memory.putLong(own, round);
          Batch last = next.newBatch();
          last.write(own, local.localKey(), lent, remote.remoteKey(), Long.BYTES);
          next.execute(last, LONG);
          assertThat(Memory.getLong(lent)).isEqualTo(round);
        }
      }
    } finally {
      Memory.free(lent);
      Memory.free(own);
    }
  }
}
