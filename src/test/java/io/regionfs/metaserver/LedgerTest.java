package io.regionfs.metaserver;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.proto.Operation;
import io.regionfs.proto.Reply;
import io.regionfs.proto.SetAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The table of grants when it fills, and what follows from what, without calls or clocks. */
class LedgerTest {
  private static final int NODE = 1;
  private static final long SECOND = 1_000_000_000L;

  private final GrantTable grants = new GrantTable(1600);
  private final List<Holder> called = new ArrayList<>();
  private final Ledger ledger =
      new Ledger(grants, Duration.ofSeconds(10), Duration.ofMillis(250), called::add);

  private Hold change(long inode) {
    Operation operation =
        Operation.newBuilder().setSetAttributes(SetAttributes.newBuilder().setInode(inode)).build();
    return Objects.requireNonNull(
        ledger.changed(
            operation, Reply.getDefaultInstance(), List.of(inode), 0, dropped -> false, 0));
  }

  private Holder join() {
    ledger.joined(NODE, 0);
    return Objects.requireNonNull(ledger.grantee(NODE, 0));
  }

  @Test
  void aFullTableIsThinnedOutByRecalls() {
    Holder holder = join();
    for (long inode = 1; inode <= 1600; inode++) {
      assertThat(grants.add(inode, holder.number())).isTrue();
    }
    assertThat(grants.add(9999, holder.number())).isFalse();
    ledger.tick(0);
    assertThat(grants.size()).isEqualTo(1400);
    assertThat(called).containsExactly(holder);
    Set<Long> recalled = new HashSet<>(Objects.requireNonNull(ledger.nextRecall(holder)));
    assertThat(recalled).hasSize(200);
    long one = recalled.iterator().next();
    Hold hold = change(one);
    assertThat(hold.done()).isNotDone();
    ledger.answered(holder, 0);
    assertThat(hold.done()).isCompleted();
    assertThat(ledger.holdsNone()).isTrue();
    assertThat(ledger.nextRecall(holder)).isNull();
  }

  @Test
  void aHoldEndsAfterThoseItBuildsOn() {
    Holder holder = join();
    grants.add(5, holder.number());
    Hold first = change(5);
    Hold second = change(5);
    assertThat(second).isNotSameAs(first);
    assertThat(ledger.holdOn(5)).isSameAs(second);
    ledger.nextRecall(holder);
    ledger.answered(holder, 0);
    assertThat(first.done()).isCompleted();
    assertThat(second.done()).isCompleted();
    assertThat(ledger.holdOn(5)).isNull();
  }

  @Test
  void whatGathersWhileARecallIsOnItsWayGoesWithTheNext() {
    Holder holder = join();
    grants.add(5, holder.number());
    grants.add(6, holder.number());
    Hold first = change(5);
    assertThat(ledger.nextRecall(holder)).containsExactly(5L);
    Hold second = change(6);
    ledger.answered(holder, 0);
    assertThat(first.done()).isCompleted();
    assertThat(second.done()).isNotDone();
    assertThat(ledger.nextRecall(holder)).containsExactly(6L);
    ledger.answered(holder, 0);
    assertThat(second.done()).isCompleted();
    assertThat(called).hasSize(1);
  }

  @Test
  void aNodeWhoseMembershipEndedIsWaitedForAsLongAsItMayRead() {
    Holder holder = join();
    grants.add(5, holder.number());
    ledger.ended(NODE);
    assertThat(ledger.grantee(NODE, 0)).isNull();
    Hold hold = change(5);
    ledger.tick(10 * SECOND);
    assertThat(hold.done()).isNotDone();
    ledger.tick(11 * SECOND);
    assertThat(hold.done()).isCompleted();
  }

  @Test
  void holdsFailWhenTheTermEnds() {
    Holder holder = join();
    grants.add(5, holder.number());
    Hold hold = change(5);
    ledger.close();
    assertThat(hold.done()).isCompletedExceptionally();
    assertThat(ledger.nextRecall(holder)).isNull();
  }
}
