"""Makes refused system calls by machine code of its own and by numbers of another kind: no library stands in between."""

import mmap
from attack import *

page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
# mov rax, rdi; mov rdi, rsi; mov rsi, rdx; syscall; ret
page.write(bytes.fromhex("4889f84889f74889d60f05c3"))
raw = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_long, ctypes.c_long, ctypes.c_long)(
    ctypes.addressof(ctypes.c_char.from_buffer(page))
)
for name, number, one, two in (
    ("ptrace", 101, 0, 0),
    ("unshare", 272, 0x10000000, 0),
    ("setns", 308, 3, 0),
    ("keyctl", 250, 0, 0),
    ("bpf", 321, 0, 0),
):
    if raw(number, one, two) >= 0:
        breach(name)
for name, number in (("unshare", 272), ("getpid", 39), ("ptrace", 521)):
    if raw(number | 0x40000000, 0x10000000, 0) >= 0:
        breach(f"{name} by a number of x32")
if raw(435, 0, 0) != -38:
    breach("clone3 is there")
done()
