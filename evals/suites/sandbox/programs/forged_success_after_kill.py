"""Claims to have ended, and goes on."""

import time
from attack import *

os.write(3, b'{"exit": 0, "signal": 0, "user": 0, "system": 0, "peak": 0}\n')
for number in (1, 2, 3):
    os.close(number)
time.sleep(60)
