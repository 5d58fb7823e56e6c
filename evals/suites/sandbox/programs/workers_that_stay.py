"""Ends while the workers of its pool, their tracker and a manager still work, each told to ignore every signal."""

import multiprocessing as mp
import signal
import time
from attack import *


def work(_):
    for number in range(1, 32):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    time.sleep(60)


if __name__ == "__main__":
    pool = mp.get_context("fork").Pool(4)
    pool.map_async(work, range(4))
    manager = mp.get_context("fork").Manager()
    shared = manager.list([TAG])
    time.sleep(0.3)
    done()
    os._exit(0)
