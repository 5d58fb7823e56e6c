"""A pool by spawn, and a result of a function that the program defines."""

import multiprocessing as mp
from attack import *


def work(x):
    return x * 2


if __name__ == "__main__":
    with mp.get_context("spawn").Pool(2) as pool:
        assert pool.map(work, range(4)) == [0, 2, 4, 6]
    done()
