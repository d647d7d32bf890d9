// Uses memory that another host lends: borrower FILE
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv) {
  long value = 0;
  int fd = open(argv[argc - 1], O_RDWR);
  if (pread(fd, &value, sizeof value, 0) != sizeof value) return perror("pread"), 1; // an RDMA READ
  long *memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return perror("mmap"), 1;
  value += memory[0];                                                          // a page: an RDMA READ
  if (pwrite(fd, &value, sizeof value, sizeof value) < 0) return perror("pwrite"), 1; // an RDMA WRITE
  printf("borrower: stored %ld\n", value);
}
