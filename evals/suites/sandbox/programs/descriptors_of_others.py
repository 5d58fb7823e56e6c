"""Takes open files out of other processes by their handles."""

from attack import *

for pid in (os.getppid() or 1, 1, TRAPS["victim"]):
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        handle = -1
    for number in range(8):
        attempt(f"descriptor {number} of {pid}", call, 438, handle, number, 0)
attempt("compare", call, 312, os.getpid(), os.getpid(), 0, 0, 0)
done()
