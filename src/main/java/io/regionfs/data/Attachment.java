package io.regionfs.data;

import io.regionfs.data.ExposureMap.Entry;
import io.regionfs.proto.Attached;
import io.regionfs.proto.Exposure;
import io.regionfs.proto.Exposures;
import io.regionfs.proto.SizeSwap;

/**
 * What this host knows of a region over one link to its home: where its slot is, what of it is
 * exposed, and what its slot last said. It may be out of date at any time; each transfer reads the
 * slot along and finds out. Shared by the threads that use the region.
 */
final class Attachment {
  /** No size word: sizes have fewer bits. */
  static final long UNKNOWN = -1;

  private final Link link;
  private final long slotAddress;
  private final int slotKey;
  private final boolean sizeSwappedByCall;
  private volatile ExposureMap exposures = ExposureMap.EMPTY;
  private volatile long sizeWord = UNKNOWN;
  private volatile long mtimeNanos;
  private volatile long ctimeNanos;

  Attachment(Link link, Attached attached) {
    this.link = link;
    this.slotAddress = attached.getSlotAddress();
    this.slotKey = attached.getSlotKey();
    this.sizeSwappedByCall = attached.getSizeSwap() != SizeSwap.SIZE_SWAP_ONE_SIDED;
  }

  Link link() {
    return link;
  }

  long slotAddress() {
    return slotAddress;
  }

  int slotKey() {
    return slotKey;
  }

  /** The home moves the size for this host, which must not swap it one-sided. */
  boolean isSizeSwappedByCall() {
    return sizeSwappedByCall;
  }

  ExposureMap exposures() {
    return exposures;
  }

  /** Takes over what the home said of a range. */
  synchronized void merge(long from, Exposures answer) {
    exposures = addTo(exposures.cleared(from, answer.getCoveredTo()), answer);
  }

  static ExposureMap addTo(ExposureMap map, Exposures answer) {
    ExposureMap result = map;
    for (Exposure exposure : answer.getExposuresList()) {
      result =
          result.with(
              new Entry(
                  exposure.getOffset(),
                  exposure.getOffset() + exposure.getLength(),
                  exposure.getAddress(),
                  exposure.getKey(),
                  exposure.getWritable()));
    }
    return result;
  }

  /** The home has withdrawn, or is about to withdraw, what touches this range. */
  synchronized void forget(long from, long to) {
    exposures = exposures.without(from, to);
  }

  /** The size word last seen, or {@link #UNKNOWN}. */
  long sizeWord() {
    return sizeWord;
  }

  void sizeWord(long word) {
    sizeWord = word;
  }

  /** The modification time last seen or written. */
  long mtimeNanos() {
    return mtimeNanos;
  }

  /** The change time last seen or written. */
  long ctimeNanos() {
    return ctimeNanos;
  }

  void times(long mtime, long ctime) {
    mtimeNanos = mtime;
    ctimeNanos = ctime;
  }
}
