"""An alarm, a handler, a timer: what code uses to stop a slow step."""

import signal
import time
from attack import *


class Late(Exception):
    pass


def ring(*_):
    raise Late


signal.signal(signal.SIGALRM, ring)
signal.setitimer(signal.ITIMER_REAL, 0.05)
try:
    time.sleep(5)
except Late:
    print("in time")
done()
