package io.regionfs.region;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.data.MappedBuffer;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.posix.Memory;
import io.regionfs.verbs.Batch;
import io.regionfs.verbs.Connection;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.TransferException;
import io.regionfs.verbs.TransferException.Reason;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Swaps words of this host's own memory with its device, over a connection to itself: for words
 * that other hosts swap too, on a device whose atomics do not agree with the processor's.
 *
 * <p>The connection is made at the first swap. When it is lost with a swap under way, it is made
 * again, and the word says whether the swap took place; if it did not, it is repeated. It is used
 * with a region's lock held, which nothing here needs: the device works without this process, and
 * the listener's thread takes no lock of a region. Time is limited all the same.
 */
final class LoopbackSwap implements WordSwap, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LoopbackSwap.class);

  /** Swaps under way at a time. */
  private static final int PLACES = 32;

  private static final Duration ATTEMPT = Duration.ofSeconds(2);
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final long FIRST_PAUSE_MILLIS = 1;
  private static final long LONGEST_PAUSE_MILLIS = 200;

  /** Where the old value of one swap goes. */
  private record Place(Batch batch, long address, int key) {}

  private final Fabric fabric;
  private final InetSocketAddress self;
  private final long patienceNanos;
  private final ArrayBlockingQueue<Place> free = new ArrayBlockingQueue<>(PLACES);
  private final ReentrantLock connecting = new ReentrantLock();
  private volatile @Nullable Connection current;
  private volatile boolean closed;

  @GuardedBy("connecting")
  private @Nullable MappedBuffer oldValues;

  /**
   * @param fabric borrowed
   * @param self where it listens
   */
  LoopbackSwap(Fabric fabric, InetSocketAddress self) {
    this(fabric, self, PATIENCE);
  }

  LoopbackSwap(Fabric fabric, InetSocketAddress self, Duration patience) {
    this.fabric = fabric;
    this.self = self;
    this.patienceNanos = patience.toNanos();
  }

  @Override
  public void swap(long address, int remoteKey, long expected, long value) {
    long until = System.nanoTime() + patienceNanos;
    long pauseMillis = 0;
    // An interrupt in the middle would cost all swaps their connection.
    boolean interrupted = Thread.interrupted();
    try {
      do {
        try {
          TimeUnit.MILLISECONDS.sleep(pauseMillis);
          swapOnce(address, remoteKey, expected, value);
          return;
        } catch (TransferException e) {
          LOG.debug("A swap over the connection to this host itself failed", e);
          if (closed || until - System.nanoTime() < 0) {
            throw new FsException(
                Errno.EIO, "this host's RDMA device does not swap words: " + e.getMessage(), e);
          }
        } catch (InterruptedException e) {
          interrupted = true;
        }
        pauseMillis = Math.min(Math.max(FIRST_PAUSE_MILLIS, 2 * pauseMillis), LONGEST_PAUSE_MILLIS);
      } while (Memory.getLongVolatile(address) == expected);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void swapOnce(long address, int remoteKey, long expected, long value)
      throws TransferException, InterruptedException {
    Connection connection = connection();
    Place place = free.poll(ATTEMPT.toNanos(), TimeUnit.NANOSECONDS);
    if (place == null) {
      throw new TransferException(Reason.TIMED_OUT, PLACES + " swaps are under way");
    }
    try {
      place.batch.clear();
      place.batch.compareAndSwap(place.address, place.key, address, remoteKey, expected, value);
      connection.execute(place.batch, ATTEMPT);
    } finally {
      free.add(place);
    }
  }

  @SuppressWarnings("MustBeClosedChecker") // closed when lost, or by close
  private Connection connection() throws TransferException, InterruptedException {
    Connection open = current;
    if (open != null && open.isOpen()) {
      return open;
    }
    if (!connecting.tryLock(ATTEMPT.toNanos(), TimeUnit.NANOSECONDS)) {
      throw new TransferException(Reason.TIMED_OUT, "others still connect to " + self);
    }
    try {
      open = current;
      if (open != null && open.isOpen()) {
        return open;
      }
      if (closed) {
        throw new TransferException(Reason.DISCONNECTED, "the home is shutting down");
      }
      if (open != null) {
        LOG.warn("The connection of this host to itself at {} was lost: connecting again", self);
        open.close();
        current = null;
      }
      Connection made = fabric.connect(self, ATTEMPT);
      current = made;
      if (oldValues == null) {
        makePlaces(made);
      }
      return made;
    } finally {
      connecting.unlock();
    }
  }

  @GuardedBy("connecting")
  @SuppressWarnings("MustBeClosedChecker") // closed by close
  private void makePlaces(Connection connection) {
    MappedBuffer buffer = MappedBuffer.make(fabric, PLACES * Long.BYTES);
    oldValues = buffer;
    for (int i = 0; i < PLACES; i++) {
      long address = buffer.address() + (long) i * Long.BYTES;
      free.add(new Place(connection.newBatch(), address, buffer.key()));
    }
  }

  /** When nobody swaps any more. */
  @Override
  public void close() {
    closed = true;
    connecting.lock();
    try {
      Connection open = current;
      if (open != null) {
        open.close();
      }
      MappedBuffer buffer = oldValues;
      if (buffer != null) {
        free.clear();
        buffer.close();
      }
    } finally {
      connecting.unlock();
    }
  }
}
