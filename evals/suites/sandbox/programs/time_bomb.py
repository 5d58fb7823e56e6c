"""A process waits, and then changes what the executions after it read and write."""

import time
from attack import *

CODE = """
import pathlib, sys, time
for _ in range(200):
    time.sleep(0.1)
    for folder in ("/tmp", "/dev/shm", sys.argv[2]):
        try:
            pathlib.Path(folder, "bomb").touch()
        except OSError:
            pass
"""
if TURN == 0:
    daemon(CODE, OUT)
else:
    time.sleep(0.5)
    for folder in ("/tmp", "/dev/shm", OUT):
        if Path(folder, "bomb").exists():
            breach(f"the bomb went off in {folder}")
done()
