"""Takes back what was set on the process: no new rights, death with its parent, the filter of system calls."""

from attack import *

if libc.prctl(38, 0, 0, 0, 0) == 0 or libc.prctl(39, 0, 0, 0, 0) != 1:
    breach("new rights are possible again")
if libc.prctl(22, 0, 0, 0, 0) == 0:
    breach("the filter is off")
if libc.prctl(47, 2, 21, 0, 0) == 0:
    breach("an ambient capability")
if libc.prctl(28, 1, 0, 0, 0) == 0:
    breach("security bits")
header, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(*[0xFFFFFFFF] * 6)
if libc.capset(header, data) == 0:
    breach("capabilities")
mode = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("Seccomp:")]
if mode != ["Seccomp:\t2"]:
    breach(f"no filter: {mode}")
done()
