package io.regionfs.region;

import static io.regionfs.region.LentMemoryFixture.pattern;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.regionfs.data.Region;
import io.regionfs.model.Errno;
import io.regionfs.model.FallocateMode;
import io.regionfs.model.InodeId;
import io.regionfs.posix.Memory;
import io.regionfs.proto.Exposure;
import io.regionfs.proto.Exposures;
import io.regionfs.proto.Ping;
import io.regionfs.verbs.Access;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the home exposes, and when it stops. */
@SuppressWarnings({"MustBeClosedChecker", "NullAway.Init"}) // local regions hold nothing
class ExposuresTest {
  private static final int MIB = 1 << 20;
  private static final int SLOT_CHUNKS = 1;

  private LentMemoryFixture host;
  private HomeHandler handler;
  private HomeClient client;

  @BeforeEach
  void start() throws Exception {
    start(256 * MIB, 256 * MIB, 100);
  }

  private void start(long budgetBytes, long pinBudgetBytes, int maxExposures) throws Exception {
    stop();
    host = new LentMemoryFixture(budgetBytes, pinBudgetBytes, maxExposures, 100);
    handler = new HomeHandler(host.memory);
    client = new HomeClient(handler, 1);
  }

  @AfterEach
  void stop() throws Exception {
    if (host != null) {
      handler.close();
      host.close();
    }
  }

  private boolean isValid(Exposure exposure) {
    return host.fabric.find(exposure.getKey()) != null;
  }

  @Test
  void whatIsWrittenThroughAnExposureIsThere() throws Exception {
    client.ask(HomeClient.attach(1, true));
    Exposure exposure = client.exposeOne(1, 5000, 100, true);
    assertThat(exposure.getOffset()).isEqualTo(4096);
    assertThat(exposure.getLength()).isEqualTo(4096);
    assertThat(exposure.getWritable()).isTrue();
    FakeFabric.Registered registered = host.fabric.find(exposure.getKey());
    assertThat(registered)
        .isEqualTo(new FakeFabric.Registered(exposure.getAddress(), 4096, Access.REMOTE_WRITE));
    byte[] data = pattern(100, 1);
    Memory.put(exposure.getAddress() + 5000 - 4096, data, 0, 100);
    host.memory.find(new InodeId(1)).slot().growTo(5100);
    assertThat(host.read(host.open(1), 5000, 1000)).isEqualTo(data);
  }

  @Test
  void aReadExposesOnlyWhatHoldsMemoryAndOnlyForReading() throws Exception {
    Region region = host.open(1);
    host.write(region, 0, pattern(100, 1));
    host.write(region, 10 * MIB, pattern(10_000, 2));
    Exposures exposures = client.expose(1, 0, 50 * MIB, false);
    assertThat(exposures.getExposuresList())
        .extracting(Exposure::getOffset, Exposure::getLength, Exposure::getWritable)
        .containsExactly(tuple(0L, 4096L, false), tuple(10L * MIB, 12_288L, false));
    assertThat(exposures.getCoveredTo()).isEqualTo(50 * MIB);
    assertThat(client.expose(1, 20 * MIB, 100, false).getExposuresCount()).isZero();
    assertThat(host.memory.status().exposures()).isEqualTo(2);
    assertThat(host.memory.status().pinnedBytes()).isEqualTo(4 * 4096);
  }

  @Test
  void aSecondAskGetsTheSameExposureUnlessItWantsMore() throws Exception {
    host.write(host.open(1), 0, pattern(MIB, 1));
    Exposure read = client.exposeOne(1, 0, 100, false);
    assertThat(client.exposeOne(1, MIB - 1, 1, false)).isEqualTo(read);
    Exposure write = client.exposeOne(1, 0, MIB, true);
    assertThat(write.getKey()).isNotEqualTo(read.getKey());
    assertThat(isValid(read)).as("its holder keeps it").isTrue();
    assertThat(client.exposeOne(1, 0, MIB, true)).isEqualTo(write);
  }

  @Test
  void growthKeepsTheOldKeys() throws Exception {
    client.ask(HomeClient.attach(1, true));
    Exposure first = client.exposeOne(1, 0, MIB, true);
    Exposure second = client.exposeOne(1, MIB, MIB, true);
    assertThat(second.getOffset()).isEqualTo(MIB);
    assertThat(isValid(first)).isTrue();
    assertThat(client.expose(1, 0, 2 * MIB, true).getExposuresList())
        .containsExactly(first, second);
  }

  @Test
  void noExposureCrossesAPiece() throws Exception {
    client.ask(HomeClient.attach(1, true));
    Exposures exposures = client.expose(1, Piece.BYTES - MIB, 2 * MIB, true);
    assertThat(exposures.getExposuresList())
        .extracting(Exposure::getOffset)
        .containsExactly(Piece.BYTES - MIB, Piece.BYTES);
    assertThat(exposures.getCoveredTo()).isEqualTo(Piece.BYTES + MIB);
  }

  @Test
  void oneAnswerHasSoManyExposuresAndSaysHowFarItReaches() throws Exception {
    Region region = host.open(1);
    for (int i = 0; i < 100; i++) {
      host.write(region, i * 8192L, new byte[] {1});
    }
    Exposures first = client.expose(1, 0, MIB, false);
    assertThat(first.getExposuresCount()).isEqualTo(LentRegion.MAX_EXPOSURES);
    assertThat(first.getCoveredTo()).isEqualTo(64 * 8192L);
    Exposures rest = client.expose(1, first.getCoveredTo(), MIB, false);
    assertThat(rest.getExposuresCount()).isEqualTo(36);
  }

  @Test
  void whatIsFreedIsExposedNoMore() throws Exception {
    Region region = host.open(1);
    host.write(region, 0, pattern(MIB, 1));
    host.write(region, 2 * MIB, pattern(MIB, 1));
    Exposures exposures = client.expose(1, 0, 4 * MIB, false);
    Exposure first = exposures.getExposures(0);
    Exposure second = exposures.getExposures(1);
    region.allocate(FallocateMode.PUNCH_HOLE, 2 * MIB + 100, 4096);
    assertThat(isValid(second)).as("no whole page was freed").isTrue();
    region.allocate(FallocateMode.PUNCH_HOLE, 2 * MIB + 100, 8192);
    assertThat(isValid(second)).isFalse();
    assertThat(isValid(first)).isTrue();
    int epoch = host.memory.find(new InodeId(1)).slot().epoch();
    region.truncate(1000);
    assertThat(isValid(first)).isFalse();
    assertThat(host.memory.find(new InodeId(1)).slot().epoch()).isEqualTo(epoch + 1);
    Exposure again = client.exposeOne(1, 0, MIB, false);
    assertThat(again.getLength()).isEqualTo(4096);
    host.memory.drop(new InodeId(1));
    assertThat(isValid(again)).isFalse();
    assertThat(host.fabric.registrations()).isEqualTo(SLOT_CHUNKS);
    assertThat(host.memory.status().pinnedBytes()).isZero();
  }

  @Test
  void thePinBudgetEvictsTheLeastRecentlyAskedFor() throws Exception {
    start(256 * MIB, 4 * MIB, 100);
    Exposure[] exposures = new Exposure[6];
    for (int i = 1; i <= 4; i++) {
      host.write(host.open(i), 0, pattern(MIB, i));
      exposures[i] = client.exposeOne(i, 0, MIB, false);
    }
    client.exposeOne(1, 0, 1, false);
    host.write(host.open(5), 0, pattern(2 * MIB, 5));
    exposures[5] = client.exposeOne(5, 0, 2 * MIB, false);
    assertThat(isValid(exposures[1])).isTrue();
    assertThat(isValid(exposures[2])).isFalse();
    assertThat(isValid(exposures[3])).isFalse();
    assertThat(isValid(exposures[4])).isTrue();
    assertThat(host.memory.status().pinnedBytes()).isEqualTo(4 * MIB);
  }

  @Test
  void oneAnswerDoesNotEvictItself() throws Exception {
    start(256 * MIB, 4 * MIB, 100);
    client.ask(HomeClient.attach(1, true));
    long at = 0;
    while (at < 16 * MIB) {
      Exposures answer = client.expose(1, at, 16 * MIB - at, true);
      assertThat(answer.getCoveredTo()).isGreaterThan(at);
      assertThat(answer.getExposuresList()).isNotEmpty().allMatch(this::isValid);
      at = answer.getCoveredTo();
    }
    assertThat(host.memory.status().pinnedBytes()).isLessThanOrEqualTo(4 * MIB);
  }

  @Test
  void theNumberOfExposuresIsLimited() throws Exception {
    start(256 * MIB, 256 * MIB, 10);
    for (int i = 1; i <= 50; i++) {
      host.write(host.open(i), 0, pattern(100, i));
      client.exposeOne(i, 0, 100, false);
      assertThat(host.memory.status().exposures()).isLessThanOrEqualTo(10);
    }
    assertThat(host.fabric.registrations()).isEqualTo(10 + SLOT_CHUNKS);
  }

  @Test
  void aDeviceThatAllowsLessThanTheBudgetIsGivenSpace() throws Exception {
    for (int i = 1; i <= 4; i++) {
      host.write(host.open(i), 0, pattern(MIB, i));
      client.exposeOne(i, 0, MIB, false);
    }
    host.fabric.limitBytes(host.fabric.registeredBytes());
    host.write(host.open(5), 0, pattern(MIB, 5));
    assertThat(isValid(client.exposeOne(5, 0, MIB, false))).isTrue();
    host.fabric.limitBytes(0);
    client.refuses(Errno.ENOMEM, HomeClient.exposing(1, 0, MIB, false));
    host.fabric.limitBytes(Long.MAX_VALUE);
    assertThat(isValid(client.exposeOne(1, 0, MIB, false))).isTrue();
  }

  @Test
  void memoryTakenAheadGoesWithTheLastWriterUnlessItWasAskedFor() throws Exception {
    client.ask(HomeClient.attach(1, true));
    Exposure exposure = client.exposeOne(1, 0, 4 * MIB, true);
    host.memory.find(new InodeId(1)).slot().growTo(5000);
    assertThat(client.ask(HomeClient.to(1).setTrim(ping())).getStat().getAllocatedBytes())
        .isEqualTo(8192);
    assertThat(isValid(exposure)).isFalse();
    Region region = host.open(1);
    region.allocate(FallocateMode.ALLOCATE_KEEP_SIZE, 0, MIB);
    assertThat(client.ask(HomeClient.to(1).setTrim(ping())).getStat().getAllocatedBytes())
        .isEqualTo(MIB);
  }

  @Test
  void whatAWriterLeftBeyondTheEndIsNeverRead() throws Exception {
    client.ask(HomeClient.attach(1, true));
    Exposure exposure = client.exposeOne(1, 0, MIB, true);
    Memory.fill(exposure.getAddress(), MIB, (byte) 7);
    RegionSlot slot = host.memory.find(new InodeId(1)).slot();
    slot.growTo(10);
    int epoch = slot.epoch();
    Region region = host.open(1);
    region.truncate(1000);
    assertThat(slot.epoch()).as("a writer on its way must notice").isNotEqualTo(epoch);
    assertThat(isValid(exposure)).isFalse();
    byte[] expected = new byte[3001];
    Arrays.fill(expected, 0, 10, (byte) 7);
    expected[3000] = 1;
    host.write(region, 3000, new byte[] {1});
    assertThat(host.read(region, 0, MIB)).isEqualTo(expected);
    region.allocate(FallocateMode.ALLOCATE, 0, 10_000);
    assertThat(host.read(region, 3001, MIB)).isEqualTo(new byte[10_000 - 3001]);
  }

  private static Ping ping() {
    return Ping.getDefaultInstance();
  }
}
