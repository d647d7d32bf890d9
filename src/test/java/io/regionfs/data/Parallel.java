package io.regionfs.data;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Threads that work at once; the first failure of any is the caller's. */
final class Parallel {
  private static final long DEADLINE_SECONDS = 120;

  private Parallel() {}

  /** Work of one thread. */
  interface Work {
    void run(int index) throws Exception;
  }

  static void run(int threads, Work work) throws Exception {
    ExecutorService executor = Executors.newFixedThreadPool(threads);
    try {
      List<Future<?>> results = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        int index = i;
        results.add(
            executor.submit(
                () -> {
                  work.run(index);
                  return null;
                }));
      }
      for (Future<?> result : results) {
        result.get(DEADLINE_SECONDS, TimeUnit.SECONDS);
      }
    } finally {
      executor.shutdownNow();
    }
  }
}
