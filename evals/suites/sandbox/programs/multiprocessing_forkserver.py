"""A pool by a fork server of its own."""

import multiprocessing as mp
from attack import *


def work(x):
    return x * 2


if __name__ == "__main__":
    with mp.get_context("forkserver").Pool(2) as pool:
        assert pool.map(work, range(4)) == [0, 2, 4, 6]
    done()
