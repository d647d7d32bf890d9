"""Lends memory to other hosts: owner.py FILE"""
import mmap, os, sys, time

fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o644)
os.ftruncate(fd, 1 << 20)
memory = memoryview(mmap.mmap(fd, 1 << 20)).cast("q")
memory[0] = 42  # a store: borrowers see it
while memory[1] == 0:  # until a borrower has stored something
    time.sleep(0.001)
print("owner: a borrower stored", memory[1])
