/*
 * What scripts/bench measures files with: a kind of access to one file and a kind of access to another, in turn, in short
 * slices, so that what else the machine does hits both alike.
 *
 *   random_io JOBS SLICES MILLISECONDS BLOCK OPERATION FILE OPERATION FILE
 *
 * Operations: read, write    pread and pwrite of a block somewhere
 *             mixed          one of both, by chance
 *             load, store    a copy of a block from, or to, somewhere in a mapping that is made anew for each slice
 *             fault          as load, each page once, none of which is in memory, with MADV_RANDOM
 *             sequential     pread of block after block
 *             scan           as load, block after block, none of which is in memory
 *
 * A file's size is a power of two. JOBS threads each open it. Prints, in JSON, medians: of the ratios of both rates in a
 * pair of slices; of operations per second; and the 50th percentile of an operation's microseconds, of both and as a ratio.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MOST_JOBS = 64, MOST_SLICES = 1000, MOST_SAMPLES = 1 << 16, SAMPLED = 8, PAGE = 4096 };

static const char *const NAMES[] = {"read", "write", "mixed", "load", "store", "fault", "sequential", "scan"};
enum operation { READ, WRITE, MIXED, LOAD, STORE, FAULT, SEQUENTIAL, SCAN, OPERATIONS };

struct side {
  enum operation operation;
  const char *path;
  double rates[MOST_SLICES];
  double medians[MOST_SLICES];
};

struct job {
  const struct side *side;
  uint64_t seed;
  uint64_t until;
  pthread_barrier_t *ready;
  uint64_t done;
  uint64_t nanos;
  uint32_t samples[MOST_SAMPLES];
  size_t sample_count;
};

static size_t block;
static int jobs, slices, milliseconds;
static struct job all[MOST_JOBS];
static double merged[MOST_JOBS * MOST_SAMPLES];

static void fail(const char *what, const char *path) {
  fprintf(stderr, "random_io: %s %s: %s\n", what, path, strerror(errno));
  exit(1);
}

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static int is_mapped(enum operation operation) {
  return operation == LOAD || operation == STORE || operation == FAULT || operation == SCAN;
}

/* Nothing of the file is in memory, or the figures would be of something else. */
static void be_cold(int file, char *mapping, size_t size, const char *path) {
  unsigned char *resident = malloc(size / PAGE);
  size_t pages = 0;
  if (posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) || !resident || mincore(mapping, size, resident)) fail("drop", path);
  for (size_t i = 0; i < size / PAGE; i++) pages += resident[i] & 1;
  free(resident);
  if (pages > size / PAGE / 100) {
    fprintf(stderr, "random_io: %s: %zu pages stay in memory\n", path, pages);
    exit(1);
  }
}

static void access_block(enum operation operation, int file, char *mapping, size_t at, char *buffer, const char *path) {
  switch (operation) {
    case READ:
    case SEQUENTIAL:
      if (pread(file, buffer, block, (off_t)at) != (ssize_t)block) fail("read", path);
      break;
    case WRITE:
      if (pwrite(file, buffer, block, (off_t)at) != (ssize_t)block) fail("write", path);
      break;
    case STORE:
      memcpy(mapping + at, buffer, block);
      break;
    default:
      memcpy(buffer, mapping + at, block);
  }
  __asm__ volatile("" ::"r"(buffer) : "memory");
}

static void *run(void *argument) {
  struct job *job = argument;
  enum operation operation = job->side->operation;
  const char *path = job->side->path;
  char *mapping = NULL, *buffer = aligned_alloc(PAGE, block);
  struct stat stat;
  int file = open(path, O_RDWR);
  if (file < 0 || !buffer || fstat(file, &stat)) fail("open", path);
  size_t size = (size_t)stat.st_size, blocks = size / block;
  memset(buffer, 1, block);
  if (is_mapped(operation)) {
    mapping = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mapping == MAP_FAILED) fail("map", path);
    if (operation == FAULT && madvise(mapping, size, MADV_RANDOM)) fail("advise", path);
    if (operation == FAULT || operation == SCAN) be_cold(file, mapping, size, path);
  }
  int once = operation == FAULT, in_order = operation == SEQUENTIAL || operation == SCAN;
  uint64_t next = job->seed, time = 0;
  job->done = job->sample_count = 0;
  pthread_barrier_wait(job->ready);
  uint64_t begin = now(), end = begin + job->until;
  do {
    /* Every number below the (power of two) number of blocks, once; only the upper bits of it are any good without that. */
    next = next * 6364136223846793005u + 1442695040888963407u;
    uint64_t index = in_order ? job->done : (once ? next : next >> 24) & (blocks - 1);
    int sampled = block > PAGE || once || job->done % SAMPLED == 0;
    uint64_t before = sampled ? now() : 0;
    enum operation what = operation == MIXED ? (next >> 63 ? READ : WRITE) : operation;
    access_block(what, file, mapping, index * block, buffer, path);
    job->done++;
    if (sampled || job->done % SAMPLED == 0) time = now();
    if (sampled && job->sample_count < MOST_SAMPLES) job->samples[job->sample_count++] = (uint32_t)(time - before);
  } while (time < end && !((once || in_order) && job->done == blocks));
  job->nanos = now() - begin;
  if (mapping) munmap(mapping, size);
  close(file);
  free(buffer);
  return NULL;
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *values, size_t count) {
  qsort(values, count, sizeof *values, compare);
  return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static void measure(struct side *side, int slice) {
  pthread_t threads[MOST_JOBS];
  pthread_barrier_t ready;
  size_t samples = 0;
  pthread_barrier_init(&ready, NULL, (unsigned)jobs);
  for (int i = 0; i < jobs; i++) {
    all[i].side = side;
    all[i].seed = (uint64_t)slice * MOST_JOBS + (uint64_t)i;
    all[i].until = (uint64_t)milliseconds * 1000000u;
    all[i].ready = &ready;
    if (pthread_create(&threads[i], NULL, run, &all[i])) fail("thread for", side->path);
  }
  side->rates[slice] = 0;
  for (int i = 0; i < jobs; i++) {
    pthread_join(threads[i], NULL);
    side->rates[slice] += (double)all[i].done * 1e9 / (double)all[i].nanos;
    for (size_t s = 0; s < all[i].sample_count; s++) merged[samples++] = all[i].samples[s] / 1e3;
  }
  pthread_barrier_destroy(&ready);
  side->medians[slice] = median(merged, samples);
}

static enum operation parse(const char *name) {
  for (int i = 0; i < OPERATIONS; i++) {
    if (!strcmp(name, NAMES[i])) return (enum operation)i;
  }
  fprintf(stderr, "random_io: no operation: %s\n", name);
  exit(2);
}

int main(int argc, char **argv) {
  static struct side measured, baseline;
  static double rates[MOST_SLICES], times[MOST_SLICES];
  if (argc != 9) {
    fprintf(stderr, "usage: %s JOBS SLICES MILLISECONDS BLOCK OPERATION FILE OPERATION FILE\n", argv[0]);
    return 2;
  }
  jobs = atoi(argv[1]), slices = atoi(argv[2]), milliseconds = atoi(argv[3]), block = (size_t)atol(argv[4]);
  measured.operation = parse(argv[5]), measured.path = argv[6];
  baseline.operation = parse(argv[7]), baseline.path = argv[8];
  if (jobs < 1 || jobs > MOST_JOBS || slices < 1 || slices >= MOST_SLICES || milliseconds < 1 || block < PAGE) {
    fprintf(stderr, "random_io: a number is out of range\n");
    return 2;
  }
  for (int i = 0; i <= slices; i++) { /* the first of each warms up */
    int slice = i ? i - 1 : 0;
    struct side *first = i % 2 ? &measured : &baseline;
    measure(first, slice);
    measure(first == &measured ? &baseline : &measured, slice);
    rates[slice] = measured.rates[slice] / baseline.rates[slice];
    times[slice] = measured.medians[slice] / baseline.medians[slice];
  }
  size_t count = (size_t)slices;
  printf("{\"ratio\": %.4f, \"per_s\": %.1f, \"baseline_per_s\": %.1f, ", median(rates, count), median(measured.rates, count),
         median(baseline.rates, count));
  printf("\"time_ratio\": %.4f, \"p50_us\": %.3f, \"baseline_p50_us\": %.3f}\n", median(times, count),
         median(measured.medians, count), median(baseline.medians, count));
  return 0;
}
