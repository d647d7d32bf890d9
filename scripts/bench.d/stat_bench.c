/*
 * Measures lstat(2) on two trees in turn, so that both see the same machine.
 *
 *   stat_bench one ROUNDS DIR-A DIR-B      one name again and again: f0
 *   stat_bench all ROUNDS DIR-A DIR-B      f0, f1, ... once each: the kernel has not got them, or may not use them
 *
 * Prints "A-p50 B-p50" in microseconds: medians over all calls, made in blocks of A and B by turns. A call that fails
 * ends it: figures of errors are none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { BLOCK = 100 };

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double measure(const char *root, int all, int i) {
  char path[4096];
  struct stat stat;
  snprintf(path, sizeof path, "%s/f%d", root, all ? i : 0);
  double begin = now();
  if (lstat(path, &stat)) {
    perror(path);
    exit(1);
  }
  return now() - begin;
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: %s one|all ROUNDS DIR-A DIR-B\n", argv[0]);
    return 2;
  }
  int all = !strcmp(argv[1], "all"), rounds = atoi(argv[2]);
  double *times[2] = {calloc(rounds, sizeof(double)), calloc(rounds, sizeof(double))};
  if (rounds < 1 || !times[0] || !times[1]) return 2;
  for (int block = 0; block < rounds; block += BLOCK) {
    for (int side = 0; side < 2; side++) {
      measure(argv[3 + side], 0, 0); /* whoever answers wakes up */
      for (int i = block; i < block + BLOCK && i < rounds; i++) times[side][i] = measure(argv[3 + side], all, i);
    }
  }
  for (int side = 0; side < 2; side++) {
    qsort(times[side], rounds, sizeof(double), ascending);
    printf("%.3f%c", times[side][rounds / 2], side ? '\n' : ' ');
  }
  return 0;
}
