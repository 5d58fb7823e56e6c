"""Ignores every signal that can be ignored, and works on."""

import signal
from attack import *

for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
print("busy", flush=True)
while True:
    pass
