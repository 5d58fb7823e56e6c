"""Tries to have less time counted than it takes: other clocks, timers without end, time of dead children, time asleep."""

import signal
import time
from attack import *

for clock in (time.CLOCK_REALTIME, time.CLOCK_MONOTONIC):
    try:
        time.clock_settime(clock, 0)
        breach("a clock")
    except OSError as error:
        print("refused", error)
signal.signal(signal.SIGALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
print("busy", flush=True)
while True:
    if os.fork() == 0:
        end = time.process_time() + 0.02
        while time.process_time() < end:
            pass
        os._exit(0)
    os.wait()
