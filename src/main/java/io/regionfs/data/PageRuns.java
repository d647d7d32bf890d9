package io.regionfs.data;

/**
 * Which bytes of a buffer are to be written: runs in ascending order that do not touch each other,
 * as positions relative to where the pages begin. For one thread; made once and used again.
 */
public final class PageRuns {
  private final int[] starts;
  private final int[] ends;
  private int size;

  /**
   * @param capacity most runs
   */
  public PageRuns(int capacity) {
    starts = new int[capacity];
    ends = new int[capacity];
  }

  public void clear() {
    size = 0;
  }

  /** Adds bytes behind those that are there already. */
  public void add(int start, int end) {
    if (size > 0 && ends[size - 1] == start) {
      ends[size - 1] = end;
      return;
    }
    starts[size] = start;
    ends[size] = end;
    size++;
  }

  public int size() {
    return size;
  }

  public boolean isEmpty() {
    return size == 0;
  }

  /** How many more can be added. */
  public int room() {
    return starts.length - size;
  }

  public int start(int run) {
    return starts[run];
  }

  public int end(int run) {
    return ends[run];
  }

  /** Where the first begins; there is one. */
  public int first() {
    return starts[0];
  }

  /** Where the last ends; there is one. */
  public int last() {
    return ends[size - 1];
  }
}
