"""Uses memory that another host lends: borrower.py FILE"""
import mmap, os, struct, sys

fd = os.open(sys.argv[1], os.O_RDWR)
(value,) = struct.unpack("q", os.pread(fd, 8, 0))  # an RDMA READ
memory = memoryview(mmap.mmap(fd, 1 << 20)).cast("q")
value += memory[0]  # a page: an RDMA READ
os.pwrite(fd, struct.pack("q", value), 8)  # an RDMA WRITE
print("borrower: stored", value)
