"""Passes a message to the next by which parts of a shared file lie in memory."""

import mmap
from attack import *

path = sys.executable
with open(path, "rb") as file:
    size = os.fstat(file.fileno()).st_size
    if TURN == 0:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        print("asked to forget", size)
    libc.mmap.restype = ctypes.c_void_p
    where = libc.mmap(None, ctypes.c_size_t(size), 1, 1, file.fileno(), 0)
    vector = (ctypes.c_ubyte * ((size + 4095) // 4096))()
    print(
        "mincore",
        libc.mincore(ctypes.c_void_p(where), ctypes.c_size_t(size), vector),
        sum(byte & 1 for byte in vector),
        len(vector),
    )
done()
