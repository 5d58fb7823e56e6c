"""Forks until it is refused; the number of tries is bounded, so that a sandbox that fails does not take the machine along."""

import time
from attack import *

children = 0
for _ in range(1500):
    try:
        if os.fork() == 0:
            time.sleep(30)
            os._exit(0)
        children += 1
    except OSError:
        break
if children > 60:
    breach(f"{children} children")
done()
