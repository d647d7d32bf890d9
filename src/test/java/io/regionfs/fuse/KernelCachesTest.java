package io.regionfs.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.model.InodeId;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class KernelCachesTest {
  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
  private static final long LEASE = 5 * SECOND;
  private static final int INVAL_INODE = 2;
  private static final int INC_EPOCH = 8;
  private static final int EINVAL = 22;
  private static final InodeId INODE = new InodeId(7);

  private final FakeChannel channel = new FakeChannel();
  private final LeasedHost host = new LeasedHost.Shared().newHost();

  /** Begins shortly before it overflows, as System.nanoTime may. */
  private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 3 * SECOND);

  private final KernelCaches caches = new KernelCaches(host.fileSystem(), channel, now::get);

  KernelCachesTest() {
    host.leaseNanos = LEASE;
  }

  @AfterEach
  void close() {
    caches.close();
  }

  private void begin() {
    caches.begin();
    channel.notices.clear();
  }

  private long attributes() {
    return caches.keepAttributes(INODE, caches.mark(INODE));
  }

  private long names() {
    return caches.keepName(INODE, caches.mark(INODE));
  }

  /** The code of the next notice, or 0. */
  private int notice() {
    ByteBuffer notice = channel.notices.poll();
    if (notice == null) {
      return 0;
    }
    assertThat(notice.getInt(0)).isEqualTo(notice.capacity());
    assertThat(notice.getLong(8)).as("unique").isZero();
    return notice.getInt(4);
  }

  @Test
  void theKernelKeepsLessThanTheLease() {
    begin();
    assertThat(attributes()).isBetween(LEASE / 2, LEASE - 1);
    assertThat(names()).isBetween(LEASE / 2, LEASE - 1);
    host.leaseNanos = 1000;
    assertThat(attributes()).isZero();
    assertThat(names()).isZero();
  }

  @Test
  void forgettingTellsTheKernelWhatItWasGiven() {
    begin();
    host.listener().forget(INODE);
    assertThat(notice()).as("nothing given").isZero();
    attributes();
    host.listener().forget(new InodeId(8));
    assertThat(notice()).as("another").isZero();
    host.listener().forget(INODE);
    ByteBuffer notice = channel.notices.remove();
    assertThat(notice.getInt(4)).isEqualTo(INVAL_INODE);
    assertThat(notice.capacity()).isEqualTo(40);
    assertThat(notice.getLong(16)).isEqualTo(INODE.value());
    assertThat(notice.getLong(24)).as("attributes only").isNegative();
    host.listener().forget(INODE);
    assertThat(notice()).as("once").isZero();
  }

  @Test
  void whatHasRunOutIsNotForgottenAgain() {
    begin();
    attributes();
    names();
    now.addAndGet(LEASE);
    host.listener().forget(INODE);
    host.listener().forgetAll();
    assertThat(notice()).isZero();
  }

  @Test
  void anAnswerFromBeforeIsNotKept() {
    begin();
    long mark = caches.mark(INODE);
    host.listener().forget(INODE);
    assertThat(caches.keepAttributes(INODE, mark)).isZero();
    assertThat(caches.keepName(INODE, mark)).isZero();
    mark = caches.mark(INODE);
    host.listener().forgetAll();
    assertThat(caches.keepAttributes(INODE, mark)).isZero();
    assertThat(attributes()).isPositive();
  }

  @Test
  void aLeaseGotMeanwhileIsNotThisAnswers() {
    begin();
    host.leaseNanos = 0;
    long mark = caches.mark(INODE);
    host.leaseNanos = LEASE;
    assertThat(caches.keepAttributes(INODE, mark)).isZero();
    assertThat(caches.keepName(INODE, mark)).isZero();
  }

  @Test
  void namesAreForgottenByEpoch() {
    begin();
    names();
    caches.keepName(InodeId.ROOT, caches.mark(InodeId.ROOT));
    host.listener().forget(INODE);
    assertThat(notice()).isEqualTo(INC_EPOCH);
    host.listener().forget(InodeId.ROOT);
    assertThat(notice()).as("the same epoch").isZero();
  }

  @Test
  void aDirectoryThatChangesAllTheTimeIsNotKept() {
    begin();
    assertThat(names()).isPositive();
    for (int i = 0; i < 10; i++) {
      host.listener().forget(INODE);
      assertThat(names()).isZero();
      now.addAndGet(SECOND / 2);
    }
    assertThat(notice()).isEqualTo(INC_EPOCH);
    assertThat(notice()).isZero();
    now.addAndGet(SECOND);
    assertThat(names()).isPositive();
  }

  @Test
  void aKernelThatCannotForgetNamesKeepsNone() {
    channel.refusal = EINVAL;
    begin();
    channel.refusal = 0;
    assertThat(names()).isZero();
    assertThat(attributes()).isPositive();
    host.listener().forget(INODE);
    assertThat(notice()).isEqualTo(INVAL_INODE);
    assertThat(notice()).isZero();
  }

  @Test
  void anAnswerThatWasHeldUpIsTakenBack() {
    begin();
    long given = caches.now();
    attributes();
    caches.sent(INODE, given);
    assertThat(notice()).isZero();
    now.addAndGet(SECOND);
    caches.sent(INODE, given);
    assertThat(notice()).isEqualTo(INVAL_INODE);
  }

  @Test
  void aclsAreKeptForLongerThanAttributes() {
    begin();
    caches.willKeepAcls(INODE);
    now.addAndGet(10 * LEASE);
    host.listener().forget(INODE);
    assertThat(notice()).isEqualTo(INVAL_INODE);
    host.listener().forget(INODE);
    assertThat(notice()).as("once").isZero();
    host.leaseNanos = 0;
    caches.willKeepAcls(INODE);
    host.listener().forgetAll();
    assertThat(notice()).as("not leased").isZero();
  }

  @Test
  void aclsThatAreNotRememberedAreDropped() {
    begin();
    int all = 1_000_000;
    for (int i = 1; i <= all; i++) {
      caches.willKeepAcls(new InodeId(i));
    }
    host.listener().forgetAll();
    assertThat(channel.notices).hasSize(all);
  }

  @Test
  void afterTheEndNothingIsSaid() {
    begin();
    attributes();
    caches.close();
    host.listener().forgetAll();
    assertThat(notice()).isZero();
  }

  @Test
  void manyInodesAgainstASimpleModel() {
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    begin();
    Map<Long, Long> until = new HashMap<>();
    for (int i = 0; i < 200_000; i++) {
      InodeId inode = new InodeId(1 + random.nextInt(20_000));
      now.addAndGet(random.nextInt(2_000_000));
      if (random.nextInt(3) > 0) {
        long nanos = caches.keepAttributes(inode, caches.mark(inode));
        assertThat(nanos).isPositive();
        until.put(inode.value(), now.get() + nanos);
      } else {
        host.listener().forget(inode);
        Long end = until.remove(inode.value());
        assertThat(notice()).isEqualTo(end != null && end - now.get() > 0 ? INVAL_INODE : 0);
      }
    }
    Set<Long> kept = new HashSet<>();
    until.forEach(
        (inode, end) -> {
          if (end - now.get() > 0) {
            kept.add(inode);
          }
        });
    host.listener().forgetAll();
    Set<Long> told = new HashSet<>();
    channel.notices.forEach(notice -> told.add(notice.getLong(16)));
    assertThat(told).isEqualTo(kept);
    assertThat(channel.notices).hasSameSizeAs(kept);
  }

  @Test
  void beyondTheLimitNothingIsKept() {
    begin();
    int kept = 0;
    int all = 1_000_000;
    for (int i = 1; i <= all; i++) {
      InodeId inode = new InodeId(i);
      kept += caches.keepAttributes(inode, caches.mark(inode)) > 0 ? 1 : 0;
    }
    assertThat(kept).isBetween(100_000, all / 2);
    host.listener().forgetAll();
    assertThat(channel.notices).hasSize(kept);
  }
}
