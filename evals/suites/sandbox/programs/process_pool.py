"""Futures in processes and threads."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from attack import *

if __name__ == "__main__":
    for kind in (ProcessPoolExecutor, ThreadPoolExecutor):
        with kind(2) as pool:
            assert list(pool.map(abs, range(-3, 0))) == [3, 2, 1]
    done()
