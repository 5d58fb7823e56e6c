"""Stops itself and all its children just before its time is up: frozen processes must die as well."""

import signal
import time
from attack import *

for _ in range(20):
    if os.fork() == 0:
        os.setsid()
        os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(0)
print("frozen", flush=True)
daemon("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)")
time.sleep(0.3)
os.kill(os.getpid(), signal.SIGSTOP)
while True:
    time.sleep(1)
