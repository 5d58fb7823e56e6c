"""A daemon that ignores every signal it can, and a parent that is stopped at its deadline."""

import time
from attack import *

daemon(
    "import signal, time\nfor n in range(1, 32):\n    try: signal.signal(n, signal.SIG_IGN)\n    except (OSError, ValueError): pass\ntime.sleep(60)"
)
time.sleep(60)
