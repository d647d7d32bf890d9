package io.regionfs.verbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.regionfs.posix.Memory;
import io.regionfs.verbs.TransferException.Reason;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a fabric must do; each test has two of them, a home that lends memory and a borrower. */
@SuppressWarnings({
  "MustBeClosedChecker", // closed in tearDown
  "NullAway.Init",
  "NarrowCalculation", // offsets into a few pages
  "AddressSelection" // 127.0.0.1 has one address
})
public abstract class FabricContract {
  private static final Duration LONG = Duration.ofSeconds(30);
  private static final int BYTES = 1 << 20;

  private final List<Long> allocations = new ArrayList<>();
  private Fabric home;
  private Fabric borrower;
  private FabricListener listener;
  private RegisteredMemory remote;
  private RegisteredMemory local;

  /** Another fabric of this host. */
  protected abstract Fabric open(InetAddress address) throws IOException;

  /** Where the device under test is. */
  protected InetAddress address() throws IOException {
    return InetAddress.getByName("127.0.0.1");
  }

  @BeforeEach
  void setUp() throws IOException {
    home = open(address());
    borrower = open(address());
    listener = home.listen(new InetSocketAddress(address(), 0));
    remote = home.register(allocate(BYTES), BYTES, Access.REMOTE_WRITE);
    local = borrower.register(allocate(BYTES), BYTES, Access.LOCAL);
  }

  @AfterEach
  void tearDown() {
    remote.close();
    local.close();
    assertThat(home.registrations()).isZero();
    assertThat(borrower.registrations()).isZero();
    assertThat(home.registeredBytes() + borrower.registeredBytes()).isZero();
    borrower.close();
    await(() -> listener.connections() == 0);
    home.close();
    allocations.forEach(Memory::free);
    await(() -> Thread.getAllStackTraces().keySet().stream().noneMatch(FabricContract::ours));
  }

  private static boolean ours(Thread thread) {
    return thread.getName().startsWith("fabric-");
  }

  private long allocate(long bytes) {
    long address = Memory.allocate(bytes);
    Memory.fill(address, bytes, (byte) 0);
    allocations.add(address);
    return address;
  }

  private static void await(BooleanSupplier condition) {
    long until = System.nanoTime() + LONG.toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("deadline").isLessThan(until);
      Thread.onSpinWait();
      try {
        Thread.sleep(5);
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
  }

  private Connection connect() throws TransferException, InterruptedException {
    return borrower.connect(listener.address(), LONG);
  }

  /** iWARP ends the connection without saying that the peer refused. */
  private void isRefused(Connection connection, Batch batch) {
    fails(
        home.limits().transport().equals("iWARP") ? Reason.DISCONNECTED : Reason.REMOTE_ACCESS,
        connection,
        batch,
        LONG);
  }

  private static void fails(Reason reason, Connection connection, Batch batch, Duration deadline) {
    assertThatThrownBy(() -> connection.execute(batch, deadline))
        .isInstanceOfSatisfying(
            TransferException.class,
            e -> assertThat(e.reason()).as(e.getMessage()).isEqualTo(reason));
    assertThat(connection.isOpen()).isFalse();
  }

  private void read(Batch batch, long at, int length) {
    batch.read(
        local.address() + at, local.localKey(), remote.address() + at, remote.remoteKey(), length);
  }

  private void write(Batch batch, long at, int length) {
    batch.write(
        local.address() + at, local.localKey(), remote.address() + at, remote.remoteKey(), length);
  }

  private static void fillWith(long address, int length, int seed) {
    for (int i = 0; i < length; i++) {
      Memory.putByte(address + i, (byte) (seed * 31 + i * 7 + (i >> 8)));
    }
  }

  private static byte[] bytes(long address, int length) {
    byte[] copy = new byte[length];
    Memory.get(address, copy, 0, length);
    return copy;
  }

  @Test
  void whatIsWrittenArrivesAndIsReadBack() throws Exception {
    try (Connection connection = connect()) {
      Batch batch = connection.newBatch();
      for (int length : new int[] {1, 8, 100, 4096, 70_001, BYTES}) {
        fillWith(local.address(), length, length);
        byte[] sent = bytes(local.address(), length);
        batch.clear();
        write(batch, 0, length);
        connection.execute(batch, LONG);
        assertThat(bytes(remote.address(), length)).isEqualTo(sent);
        fillWith(remote.address(), length, length + 1);
        byte[] kept = bytes(remote.address(), length);
        batch.clear();
        read(batch, 0, length);
        connection.execute(batch, LONG);
        assertThat(bytes(local.address(), length)).isEqualTo(kept);
      }
    }
  }

  @Test
  void shortTransfersAcrossPagesAreWhole() throws Exception {
    long from = endOfPage(local);
    long to = endOfPage(remote);
    try (Connection connection = connect()) {
      Batch batch = connection.newBatch();
      for (int length : new int[] {2, 7, 24, 31, 32, 33, 64}) {
        for (int before = 1; before < length; before += 1 + length / 8) {
          fillWith(from - before, length, length + before);
          byte[] sent = bytes(from - before, length);
          batch.clear();
          batch.write(
              from - before, local.localKey(), remote.address(), remote.remoteKey(), length);
          batch.write(from - before, local.localKey(), to - before, remote.remoteKey(), length);
          batch.read(local.address(), local.localKey(), to - before, remote.remoteKey(), length);
          connection.execute(batch, LONG);
          String what = length + " bytes, " + before + " before the page ends";
          assertThat(bytes(remote.address(), length)).as(what).isEqualTo(sent);
          assertThat(bytes(local.address(), length)).as(what).isEqualTo(sent);
        }
      }
    }
  }

  private static long endOfPage(RegisteredMemory memory) {
    long page = 4096;
    return (memory.address() / page + 2) * page;
  }

  private boolean hasAtomics() {
    return home.limits().atomics() != Atomics.NONE;
  }

  private void add(Batch batch, long at, long delta) {
    batch.fetchAndAdd(
        local.address() + at, local.localKey(), remote.address() + at, remote.remoteKey(), delta);
  }

  /** What is left to be seen of a device that has none; then there is no more to test. */
  private boolean refusesAtomics() throws Exception {
    if (hasAtomics()) {
      return false;
    }
    try (Connection connection = connect()) {
      Batch batch = connection.newBatch();
      write(batch, 0, 8);
      assertThatThrownBy(() -> add(batch, 0, 1))
          .isInstanceOf(UnsupportedOperationException.class)
          .hasMessageContaining("atomic");
      assertThatThrownBy(() -> batch.compareAndSwap(8, 8, 8, 8, 1, 1))
          .isInstanceOf(UnsupportedOperationException.class);
      assertThat(batch.size()).isEqualTo(1);
      connection.execute(batch, LONG);
    }
    return true;
  }

  @Test
  void atomicsTakeTheirOperandsInTheOrderOfTheHostsBytes() throws Exception {
    if (refusesAtomics()) {
      return;
    }
    long before = 0x0102030405060708L;
    long after = 0xf1f2f3f4f5f6f7f8L;
    Memory.putLong(remote.address(), before);
    Memory.putLong(remote.address() + 8, before);
    try (Connection connection = connect()) {
      Batch batch = connection.newBatch();
      batch.compareAndSwap(
          local.address(), local.localKey(), remote.address(), remote.remoteKey(), before, after);
      add(batch, 8, 0x0000010000000001L);
      connection.execute(batch, LONG);
    }
    assertThat(Memory.getLong(local.address())).isEqualTo(before);
    assertThat(Memory.getLong(remote.address())).isEqualTo(after);
    assertThat(Memory.getLong(local.address() + 8)).isEqualTo(before);
    assertThat(Memory.getLong(remote.address() + 8)).isEqualTo(0x0102040405060709L);
  }

  @Test
  void atomicsOfSeveralConnectionsCountEachOther() throws Exception {
    if (refusesAtomics()) {
      return;
    }
    int rounds = 100;
    inThreads(
        4,
        thread -> {
          try (Connection connection = connect()) {
            Batch batch = connection.newBatch();
            long answer = local.address() + 64L * thread;
            for (int i = 0; i < rounds; i++) {
              batch.clear();
              batch.fetchAndAdd(answer, local.localKey(), remote.address(), remote.remoteKey(), 1);
              connection.execute(batch, LONG);
              long old = Memory.getLong(remote.address() + 8);
              Memory.putLong(answer, old + 1);
              while (Memory.getLong(answer) != old) {
                old = Memory.getLong(remote.address() + 8);
                batch.clear();
                batch.compareAndSwap(
                    answer,
                    local.localKey(),
                    remote.address() + 8,
                    remote.remoteKey(),
                    old,
                    old + 1);
                connection.execute(batch, LONG);
              }
            }
          }
        });
    assertThat(Memory.getLong(remote.address())).isEqualTo(4 * rounds);
    assertThat(Memory.getLong(remote.address() + 8)).isEqualTo(4 * rounds);
  }

  @Test
  void globalAtomicsCountTheProcessorsToo() throws Exception {
    if (refusesAtomics()) {
      return;
    }
    boolean global = home.limits().atomics() == Atomics.GLOBAL;
    int rounds = 1000;
    inThreads(
        2,
        thread -> {
          try (Connection connection = connect()) {
            Batch batch = connection.newBatch();
            for (int i = 0; i < rounds; i++) {
              if (thread == 0 && global) {
                Memory.getAndAddLong(remote.address(), 1);
              } else {
                batch.clear();
                batch.fetchAndAdd(
                    local.address() + 8 * thread,
                    local.localKey(),
                    remote.address(),
                    remote.remoteKey(),
                    1);
                connection.execute(batch, LONG);
              }
            }
          }
        });
    assertThat(Memory.getLong(remote.address())).isEqualTo(2 * rounds);
  }

  @Test
  void atomicsAnswerWithTheOldValue() throws Exception {
    if (refusesAtomics()) {
      return;
    }
    try (Connection connection = connect()) {
      Batch batch = connection.newBatch();
      Memory.putLong(remote.address() + 64, 40);
      batch.fetchAndAdd(
          local.address(), local.localKey(), remote.address() + 64, remote.remoteKey(), 2);
      batch.compareAndSwap(
          local.address() + 8, local.localKey(), remote.address() + 64, remote.remoteKey(), 42, -7);
      batch.compareAndSwap(
          local.address() + 16, local.localKey(), remote.address() + 64, remote.remoteKey(), 42, 1);
      connection.execute(batch, LONG);
      assertThat(Memory.getLong(local.address())).isEqualTo(40);
      assertThat(Memory.getLong(local.address() + 8)).isEqualTo(42);
      assertThat(Memory.getLong(local.address() + 16)).isEqualTo(-7);
      assertThat(Memory.getLong(remote.address() + 64)).isEqualTo(-7);
    }
  }

  @Test
  void aBatchTakesEffectInOrder() throws Exception {
    try (Connection connection = connect()) {
      Batch batch = connection.newBatch();
      for (int round = 0; round < 200; round++) {
        Memory.putLong(remote.address(), -1);
        for (int i = 0; i < 5; i++) {
          Memory.putLong(local.address() + 8 * i, 1000L * round + i);
        }
        batch.clear();
        for (int i = 0; i < 5; i++) {
          batch.write(
              local.address() + 8 * i, local.localKey(), remote.address(), remote.remoteKey(), 8);
          batch.read(
              local.address() + 100 + 8 * i,
              local.localKey(),
              remote.address(),
              remote.remoteKey(),
              8);
        }
        connection.execute(batch, LONG);
        for (int i = 0; i < 5; i++) {
          assertThat(Memory.getLong(local.address() + 100 + 8 * i)).isEqualTo(1000L * round + i);
        }
      }
    }
  }

  @Test
  void anEmptyBatchDoesNothingAndAFullOneTakesNoMore() throws Exception {
    try (Connection connection = connect()) {
      Batch batch = connection.newBatch();
      connection.execute(batch, LONG);
      for (int i = 0; i < Batch.MAX_OPERATIONS; i++) {
        read(batch, 64L * i, 64);
      }
      assertThatThrownBy(() -> read(batch, 0, 1)).isInstanceOf(IllegalStateException.class);
      connection.execute(batch, LONG);
      batch.clear();
      assertThat(batch.size()).isZero();
      assertThatThrownBy(() -> read(batch, 0, 0)).isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void anUnknownKeyIsRefused() throws Exception {
    try (Connection connection = connect()) {
      Batch batch = connection.newBatch();
      batch.read(
          local.address(), local.localKey(), remote.address(), remote.remoteKey() ^ 0x5a5a5a5a, 8);
      isRefused(connection, batch);
      batch.clear();
      read(batch, 0, 8);
      fails(Reason.DISCONNECTED, connection, batch, LONG);
    }
  }

  @Test
  void outOfBoundsIsRefused() throws Exception {
    for (long at : new long[] {-1, BYTES - 7, 1L << 40}) {
      try (Connection connection = connect()) {
        Batch batch = connection.newBatch();
        batch.write(
            local.address(), local.localKey(), remote.address() + at, remote.remoteKey(), 8);
        isRefused(connection, batch);
      }
    }
    assertThat(bytes(remote.address(), BYTES)).isEqualTo(new byte[BYTES]);
  }

  @Test
  void memoryForReadingIsNotWritten() throws Exception {
    try (RegisteredMemory readable = home.register(allocate(4096), 4096, Access.REMOTE_READ)) {
      Memory.putLong(readable.address(), 99);
      try (Connection connection = connect()) {
        Batch batch = connection.newBatch();
        batch.read(local.address(), local.localKey(), readable.address(), readable.remoteKey(), 8);
        connection.execute(batch, LONG);
        assertThat(Memory.getLong(local.address())).isEqualTo(99);
        batch.clear();
        batch.write(local.address(), local.localKey(), readable.address(), readable.remoteKey(), 8);
        isRefused(connection, batch);
      }
      if (hasAtomics()) {
        try (Connection connection = connect()) {
          Batch batch = connection.newBatch();
          batch.fetchAndAdd(
              local.address(), local.localKey(), readable.address(), readable.remoteKey(), 1);
          isRefused(connection, batch);
        }
      }
      assertThat(Memory.getLong(readable.address())).isEqualTo(99);
    }
  }

  @Test
  void localMemoryIsOutOfAPeersReach() throws Exception {
    try (RegisteredMemory hidden = home.register(allocate(4096), 4096, Access.LOCAL);
        Connection connection = connect()) {
      Batch batch = connection.newBatch();
      batch.write(local.address(), local.localKey(), hidden.address(), hidden.remoteKey(), 8);
      isRefused(connection, batch);
    }
  }

  @Test
  void localMemoryIsNotRead() throws Exception {
    assumeThat(home.limits().device()).as("soft-iWARP lets it pass").doesNotStartWith("siw");
    try (RegisteredMemory hidden = home.register(allocate(4096), 4096, Access.LOCAL);
        Connection connection = connect()) {
      Batch batch = connection.newBatch();
      batch.read(local.address(), local.localKey(), hidden.address(), hidden.remoteKey(), 8);
      isRefused(connection, batch);
    }
  }

  @Test
  void aWrongLocalKeyIsALocalMistake() throws Exception {
    try (Connection connection = connect()) {
      Batch batch = connection.newBatch();
      batch.read(
          local.address(), local.localKey() ^ 0x5a5a5a5a, remote.address(), remote.remoteKey(), 8);
      fails(Reason.LOCAL, connection, batch, LONG);
    }
  }

  @Test
  void deregisteredMemoryIsRefused() throws Exception {
    RegisteredMemory lent = home.register(allocate(4096), 4096, Access.REMOTE_WRITE);
    try (Connection connection = connect()) {
      Batch batch = connection.newBatch();
      batch.read(local.address(), local.localKey(), lent.address(), lent.remoteKey(), 8);
      connection.execute(batch, LONG);
      lent.close();
      lent.close();
      isRefused(connection, batch);
    }
  }

  @Test
  void registrationIsChecked() {
    long address = allocate(100);
    for (long length : new long[] {0, -1, Fabric.MAX_REGISTRATION_BYTES + 1}) {
      assertThatThrownBy(() -> home.register(address, length, Access.LOCAL))
          .isInstanceOf(IllegalArgumentException.class);
    }
    assertThat(home.registrations()).isEqualTo(1);
    assertThat(home.registeredBytes()).isEqualTo(BYTES);
  }

  @Test
  void nobodyThereIsDisconnected() throws Exception {
    InetSocketAddress gone;
    try (FabricListener other =
        home.listen(new InetSocketAddress(listener.address().getAddress(), 0))) {
      gone = other.address();
    }
    assertThatThrownBy(() -> borrower.connect(gone, LONG))
        .isInstanceOfSatisfying(
            TransferException.class, e -> assertThat(e.reason()).isEqualTo(Reason.DISCONNECTED));
  }

  @Test
  void theListenerKnowsItsConnections() throws Exception {
    Connection first = connect();
    Connection second = connect();
    Connection loop = home.connect(listener.address(), LONG);
    await(() -> listener.connections() == 3);
    assertThat(listener.connectionsFromOthers()).isEqualTo(2);
    loop.close();
    first.close();
    first.close();
    await(() -> listener.connections() == 1);
    assertThat(listener.connectionsFromOthers()).isEqualTo(1);
    assertThat(first.isOpen()).isFalse();
    second.close();
    await(() -> listener.connections() == 0);
  }

  @Test
  void aConnectionIsMadeAgainAndAgain() throws Exception {
    for (int i = 0; i < 20; i++) {
      try (Connection connection = connect()) {
        Batch batch = connection.newBatch();
        read(batch, 0, 100);
        connection.execute(batch, LONG);
      }
    }
  }

  @Test
  void aPeerThatLeavesEndsTheConnection() throws Exception {
    try (Connection connection = connect()) {
      Batch batch = connection.newBatch();
      read(batch, 0, 8);
      connection.execute(batch, LONG);
      listener.close();
      await(() -> !connection.isOpen());
      fails(Reason.DISCONNECTED, connection, batch, LONG);
    }
  }

  @Test
  void aDeadlineThatHasPassedEndsTheConnection() throws Exception {
    try (Connection connection = connect()) {
      Batch batch = connection.newBatch();
      read(batch, 0, BYTES);
      fails(Reason.TIMED_OUT, connection, batch, Duration.ofNanos(1));
    }
  }

  @Test
  void anInterruptEndsTheWaitAndTheConnection() throws Exception {
    try (Connection connection = connect()) {
      Batch batch = connection.newBatch();
      read(batch, 0, BYTES);
      Thread.currentThread().interrupt();
      boolean interrupted = false;
      try {
        connection.execute(batch, LONG);
      } catch (InterruptedException e) {
        interrupted = true;
      }
      assertThat(interrupted || Thread.interrupted()).isTrue();
      assertThat(connection.isOpen()).isEqualTo(!interrupted);
    }
  }

  @Test
  void manyThreadsShareAConnection() throws Exception {
    try (Connection connection = connect()) {
      inThreads(
          8,
          thread -> {
            Batch batch = connection.newBatch();
            long at = thread * 100_000L;
            for (int i = 0; i < 150; i++) {
              int length = 1 + (i * 7919) % 90_000;
              fillWith(local.address() + at, length, i * 8 + thread);
              byte[] sent = bytes(local.address() + at, length);
              batch.clear();
              write(batch, at, length);
              connection.execute(batch, LONG);
              Memory.fill(local.address() + at, length, (byte) 0);
              batch.clear();
              read(batch, at, length);
              connection.execute(batch, LONG);
              assertThat(bytes(local.address() + at, length)).isEqualTo(sent);
            }
          });
    }
  }

  @Test
  void fullBatchesOfManyThreadsWaitForRoom() throws Exception {
    try (Connection connection = connect()) {
      inThreads(
          16,
          thread -> {
            Batch batch = connection.newBatch();
            for (int i = 0; i < 40; i++) {
              batch.clear();
              for (int k = 0; k < Batch.MAX_OPERATIONS; k++) {
                if (hasAtomics()) {
                  batch.fetchAndAdd(
                      local.address() + 8 * thread,
                      local.localKey(),
                      remote.address() + 8 * k,
                      remote.remoteKey(),
                      1);
                } else {
                  read(batch, 64L * thread, 64);
                }
              }
              connection.execute(batch, LONG);
            }
          });
      for (int k = 0; k < Batch.MAX_OPERATIONS; k++) {
        assertThat(Memory.getLong(remote.address() + 8 * k)).isEqualTo(hasAtomics() ? 16 * 40 : 0);
      }
    }
  }

  @Test
  void closingFailsWhoeverWaits() throws Exception {
    Connection connection = connect();
    CountDownLatch running = new CountDownLatch(4);
    Thread closer =
        new Thread(
            () -> {
              try {
                running.await();
              } catch (InterruptedException e) {
                throw new AssertionError(e);
              }
              connection.close();
            });
    closer.start();
    inThreads(
        4,
        thread -> {
          Batch batch = connection.newBatch();
          read(batch, thread * 100_000L, 100_000);
          boolean first = true;
          try {
            while (true) {
              connection.execute(batch, LONG);
              if (first) {
                running.countDown();
                first = false;
              }
            }
          } catch (TransferException e) {
            assertThat(e.reason()).isEqualTo(Reason.DISCONNECTED);
          }
        });
    closer.join();
  }

  /** Work of one of several threads. */
  private interface Work {
    void run(int thread) throws Exception;
  }

  private static void inThreads(int threads, Work work) throws Exception {
    ExecutorService executor = Executors.newFixedThreadPool(threads);
    try {
      List<Future<?>> results = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        int thread = i;
        results.add(
            executor.submit(
                () -> {
                  work.run(thread);
                  return null;
                }));
      }
      for (Future<?> result : results) {
        result.get(120, TimeUnit.SECONDS);
      }
    } finally {
      executor.shutdownNow();
    }
  }
}
