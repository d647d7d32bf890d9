// Lends memory to other hosts: owner FILE
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv) {
  int fd = open(argv[argc - 1], O_RDWR | O_CREAT, 0644);
  if (ftruncate(fd, 1 << 20) != 0) return perror("ftruncate"), 1;
  volatile long *memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return perror("mmap"), 1;
  memory[0] = 42;                     // a store: borrowers see it
  while (memory[1] == 0) usleep(100); // until a borrower has stored something
  printf("owner: a borrower stored %ld\n", memory[1]);
}
