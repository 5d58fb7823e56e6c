"""Names its processes and threads like the supervisor's own, with control characters, and as lines of tables that are read."""

import threading
import time
from attack import *

for name in (b"a) R 1 1 1 1", b"x\n1 (y) S", b"\x1b[2Jx", b") Z 0 0 0 (", b"forkserver"):
    if os.fork() == 0:
        libc.prctl(15, name, 0, 0, 0)
        threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
        time.sleep(30)
libc.prctl(15, b"z) Z 99999999999", 0, 0, 0)
time.sleep(0.5)
done()
