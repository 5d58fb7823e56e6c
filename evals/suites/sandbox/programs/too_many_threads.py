"""Starts threads until it may not."""

import threading
import time
from attack import *

wait = threading.Event()
started = 0
try:
    for _ in range(2000):
        threading.Thread(target=wait.wait, daemon=True).start()
        started += 1
except RuntimeError:
    print("no more", flush=True)
if started > 80:
    breach(f"{started} threads")
done()
