"""Traces, reads and writes the processes that it came from, and those it can guess."""

from attack import *

libc.ptrace.restype = ctypes.c_long
for pid in (os.getppid(), 1, 2, os.getpid() + 1, TRAPS["victim"]):
    if pid in (0, os.getpid()):
        continue
    if libc.ptrace(16, pid, 0, 0) == 0:
        breach(f"traced {pid}")
    room = ctypes.create_string_buffer(64)
    vector = (ctypes.c_size_t * 2)(ctypes.addressof(room), 64)
    far = (ctypes.c_size_t * 2)(id(room), 64)
    for name in ("process_vm_readv", "process_vm_writev"):
        if getattr(libc, name)(pid, vector, 1, far, 1, 0) > 0:
            breach(f"{name} of {pid}")
    attempt(f"memory of {pid}", lambda: open(f"/proc/{pid}/mem", "r+b"))
libc.ptrace(0, 0, 0, 0)
done()
