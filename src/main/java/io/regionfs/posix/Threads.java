package io.regionfs.posix;

/** What Java's threads lack. */
public final class Threads {
  private Threads() {}

  /** Waits for a thread's end, which is sure to come; an interrupt is kept for later. */
  public static void joinUninterruptibly(Thread thread) {
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
