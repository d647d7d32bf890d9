package io.regionfs.meta;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.meta.Metadata.ForgetListener;
import io.regionfs.meta.NodeCache.Question;
import io.regionfs.model.FileType;
import io.regionfs.model.InodeId;
import io.regionfs.model.Name;
import io.regionfs.proto.Grant;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What the cache keeps, and when it must not. Versions stand for names: "v7" in an inode. */
class NodeCacheTest {
  private static final long LONG = Duration.ofHours(1).toNanos();
  private static final Name VERSION = Name.of("version");
  private static final InodeId X = new InodeId(7);
  private static final InodeId Y = new InodeId(8);

  private final NodeCache cache = new NodeCache();
  private final List<String> told = new ArrayList<>();

  private void lease(long term) {
    cache.extend(term, System.nanoTime(), LONG);
  }

  private static Grant grant(long term, InodeId... inodes) {
    Grant.Builder grant = Grant.newBuilder().setTerm(term);
    for (InodeId inode : inodes) {
      grant.addInodes(inode.value());
    }
    return grant.build();
  }

  private void fill(Question question, long term, InodeId inode, long version) {
    cache.fill(
        question,
        grant(term, inode),
        inode,
        cached -> cached.putChild(VERSION, new InodeId(version)));
  }

  private void fill(long term, InodeId inode, long version) {
    fill(cache.question(), term, inode, version);
  }

  private @Nullable Long version(InodeId inode) {
    InodeId version = cache.find(inode, cached -> cached.child(VERSION));
    return version == null ? null : version.value();
  }

  private void listen() {
    cache.listen(
        new ForgetListener() {
          @Override
          public void forget(InodeId inode) {
            told.add("inode " + inode.value() + " " + version(inode));
          }

          @Override
          public void forgetAll() {
            told.add("all " + version(X));
          }
        });
  }

  @Test
  void keepsOnlyWhatIsGrantedUnderALease() {
    fill(1, X, 5);
    assertThat(version(X)).as("no lease").isNull();
    lease(1);
    assertThat(version(X)).as("given before the lease").isNull();
    fill(1, X, 5);
    assertThat(version(X)).isEqualTo(5);
    cache.fill(
        cache.question(), grant(1, X), Y, cached -> cached.putChild(VERSION, new InodeId(6)));
    assertThat(version(Y)).as("not granted").isNull();
  }

  @Test
  void aLeaseCountsFromWhenItsRenewalWasSent() {
    cache.extend(1, System.nanoTime() - LONG, LONG - 1);
    fill(1, X, 5);
    assertThat(version(X)).isNull();
    assertThat(cache.leasedNanos(X)).isZero();
  }

  @Test
  void aWholeListingKnowsWhichNamesThereAreNot() {
    CachedInode directory = new CachedInode();
    Name absent = Name.of("absent");
    directory.putPage(2, page(true, 3));
    assertThat(directory.child(absent)).as("the end").isNull();
    directory.putPage(0, page(false, 1));
    directory.putPage(2, page(true, 3));
    assertThat(directory.child(absent)).as("a gap").isNull();
    directory.putPage(1, page(false, 2));
    directory.putPage(2, page(true, 3));
    assertThat(directory.child(absent)).isEqualTo(CachedInode.NO_SUCH_NAME);
    assertThat(directory.child(Name.of("name2"))).isEqualTo(new InodeId(2));
  }

  private static Metadata.DirectoryPage page(boolean last, long cookie) {
    return new Metadata.DirectoryPage(
        List.of(
            new Metadata.Entry(
                Name.of("name" + cookie), new InodeId(cookie), FileType.FILE, cookie)),
        last,
        InodeId.ROOT);
  }

  @Test
  void aGapBetweenLeasesForgetsEverything() {
    lease(1);
    fill(1, X, 5);
    lease(1);
    assertThat(version(X)).as("renewed in time").isEqualTo(5);
    cache.endLease();
    listen();
    lease(1);
    assertThat(version(X)).isNull();
    assertThat(told).containsExactly("all null");
  }

  @Test
  void aRecallForgetsAndOutdatesAnswersUnderWay() {
    lease(1);
    fill(1, X, 5);
    fill(1, Y, 6);
    Question before = cache.question();
    listen();
    cache.recalled(1, List.of(X));
    assertThat(told).containsExactly("inode 7 null");
    assertThat(version(X)).isNull();
    assertThat(version(Y)).isEqualTo(6);
    fill(before, 1, X, 5);
    assertThat(version(X)).as("asked before").isNull();
    fill(1, X, 9);
    assertThat(version(X)).isEqualTo(9);
  }

  @Test
  void aLaterTermVoidsWhatWasGranted() {
    lease(1);
    fill(1, X, 5);
    Question before = cache.question();
    listen();
    cache.recalled(2, List.of());
    assertThat(told).containsExactly("all null");
    fill(before, 2, X, 5);
    fill(1, X, 5);
    assertThat(version(X)).isNull();
    fill(2, X, 6);
    assertThat(version(X)).isEqualTo(6);
    fill(3, Y, 7);
    assertThat(version(X)).as("a grant tells of the term, too").isNull();
  }

  @Test
  void nothingIsKeptOfAnInodeWhileAnOwnCommandChangesIt() {
    lease(1);
    fill(1, X, 5);
    listen();
    cache.change(List.of(X));
    assertThat(told).containsExactly("inode 7 null");
    Question during = cache.question();
    fill(during, 1, X, 5);
    assertThat(version(X)).isNull();
    cache.changed(List.of(X));
    fill(during, 1, X, 5);
    assertThat(version(X)).isNull();
    fill(1, X, 6);
    assertThat(version(X)).isEqualTo(6);
  }

  @Test
  void aFailingListenerDoesNotKeepItFromForgetting() {
    lease(1);
    fill(1, X, 5);
    cache.listen(
        new ForgetListener() {
          @Override
          public void forget(InodeId inode) {
            throw new IllegalStateException("a bug");
          }

          @Override
          public void forgetAll() {}
        });
    cache.recalled(1, List.of(X, Y));
    assertThat(version(X)).isNull();
  }

  @Test
  void itsSizeIsBoundedAndWhatIsUsedStays() {
    NodeCache small = new NodeCache(100, 1000);
    small.extend(1, System.nanoTime(), LONG);
    for (long i = 1; i <= 10_000; i++) {
      InodeId inode = new InodeId(i);
      small.fill(
          small.question(),
          grant(1, inode),
          inode,
          cached -> cached.putChild(VERSION, new InodeId(1)));
      assertThat(isKept(small, 1)).isTrue();
    }
    int kept = 0;
    for (long i = 1; i <= 10_000; i++) {
      kept += isKept(small, i) ? 1 : 0;
    }
    assertThat(kept).isBetween(50, 100);
  }

  private static boolean isKept(NodeCache cache, long inode) {
    return cache.find(new InodeId(inode), cached -> cached.child(VERSION)) != null;
  }

  /**
   * Inodes with versions, held by a server that recalls before a change is seen. Many threads read
   * through the cache, others change. No read may give less than what a change, or another read,
   * had reached before the read began.
   */
  @Test
  void noThreadEverReadsOlderThanWhatWasSeenBefore() throws Exception {
    long seed = System.nanoTime();
    System.out.println("noThreadEverReadsOlderThanWhatWasSeenBefore: seed " + seed);
    int inodes = 4;
    AtomicLongArray server = new AtomicLongArray(inodes + 1);
    AtomicLongArray seen = new AtomicLongArray(inodes + 1);
    AtomicInteger hits = new AtomicInteger();
    AtomicInteger term = new AtomicInteger(1);
    AtomicBoolean over = new AtomicBoolean();
    ConcurrentLinkedQueue<String> failures = new ConcurrentLinkedQueue<>();
    lease(1);
    List<Thread> threads = new ArrayList<>();
    for (int t = 0; t < 4; t++) {
      Random random = new Random(seed + t);
      threads.add(
          new Thread(
              () -> {
                while (!over.get() && failures.isEmpty()) {
                  int i = 1 + random.nextInt(inodes);
                  InodeId inode = new InodeId(i);
                  long least = seen.get(i);
                  Long hit = version(inode);
                  long read;
                  if (hit == null) {
                    Question question = cache.question();
                    long now;
                    synchronized (server) { // the grant goes with the answer
                      now = term.get();
                      read = server.get(i);
                    }
                    LockSupport.parkNanos(1);
                    fill(question, now, inode, read);
                  } else {
                    read = hit;
                    hits.incrementAndGet();
                  }
                  if (read < least) {
                    failures.add("inode " + i + ": " + read + " after " + least);
                  }
                  seen.accumulateAndGet(i, read, Math::max);
                }
              }));
    }
    threads.forEach(Thread::start);
    Random random = new Random(seed - 1);
    for (int change = 1; change <= 20_000 && failures.isEmpty(); change++) {
      int i = 1 + random.nextInt(inodes);
      InodeId inode = new InodeId(i);
      int kind = random.nextInt(20);
      if (kind == 0) {
        synchronized (server) { // a new leader: nobody reads a change before all is forgotten
          term.incrementAndGet();
          cache.recalled(term.get(), List.of());
          server.incrementAndGet(i);
        }
      } else if (kind < 10) {
        synchronized (server) { // as if questions waited for the recall
          server.incrementAndGet(i);
          cache.recalled(term.get(), List.of(inode));
        }
      } else {
        cache.change(List.of(inode));
        synchronized (server) { // not recalled from the actor
          server.incrementAndGet(i);
        }
        seen.accumulateAndGet(i, server.get(i), Math::max); // another node has seen it
        cache.changed(List.of(inode));
      }
      seen.accumulateAndGet(i, server.get(i), Math::max);
      if (change % 8 == 0) {
        LockSupport.parkNanos(1);
      }
    }
    over.set(true);
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(failures).isEmpty();
    assertThat(hits.get()).isPositive();
  }
}
