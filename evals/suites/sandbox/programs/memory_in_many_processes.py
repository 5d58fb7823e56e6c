"""Ten processes take 120 MB each: no one of them takes much."""

import time
from attack import *

for _ in range(10):
    if os.fork() == 0:
        held = bytearray(b"1" * 120_000_000)
        time.sleep(5)
        os._exit(0)
time.sleep(4)
done()
