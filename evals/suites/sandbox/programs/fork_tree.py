"""Every child forks again, ten levels deep: killing the first process is not enough."""

import time
from attack import *

for _ in range(10):
    try:
        os.fork()
    except OSError:
        pass
time.sleep(30)
