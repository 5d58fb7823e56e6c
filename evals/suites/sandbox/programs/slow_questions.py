"""Makes every question to the supervisor dear: thousands of sockets to look through, memory that is always being changed, addresses at its end."""

import mmap
import socket
import threading
import time
from attack import *


def churn():
    end = time.monotonic() + 6
    while time.monotonic() < end:
        mmap.mmap(-1, 64 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x8000).close()


held = []
for _ in range(20):
    if os.fork() == 0:
        for number in range(900):
            item = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            item.bind(f"\0{os.getpid()}-{number}-" + "x" * 90)
            held.append(item)
        time.sleep(60)
time.sleep(1)
print("questions", flush=True)
for _ in range(2):
    threading.Thread(target=churn, daemon=True).start()
caller = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
while True:
    try:
        caller.connect("\0nobody-" + "y" * 80)
        breach("somebody answered")
    except OSError:
        pass
