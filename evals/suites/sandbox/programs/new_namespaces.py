"""Namespaces within: where most ways to the kernel begin."""

from attack import *

for flag in (0x10000000, 0x00020000, 0x20000000, 0x40000000, 0x08000000, 0x04000000, 0x02000000, 0x00000080):
    attempt(f"unshare {flag:#x}", call, 272, flag)
for flag in (0x10000000, 0x40000000):
    result = libc.syscall(ctypes.c_long(56), ctypes.c_long(flag | 17), 0, 0, 0, 0)
    if result == 0:
        os._exit(0)
    if result > 0:
        breach(f"clone {flag:#x}")
room = (ctypes.c_uint64 * 11)(0x10000000, 0, 0, 0, 17)
result = libc.syscall(ctypes.c_long(435), room, ctypes.c_long(88))
if result == 0:
    os._exit(0)
if result > 0:
    breach("clone3")
for name in os.listdir("/proc/self/ns"):
    attempt(f"enter {name}", lambda: call(308, os.open(f"/proc/self/ns/{name}", os.O_RDONLY), 0))
done()
