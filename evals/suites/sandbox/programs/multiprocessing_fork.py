"""A pool by fork, a manager, a queue, a lock."""

import multiprocessing as mp
from attack import *


def work(x):
    return x + 1


if __name__ == "__main__":
    context = mp.get_context("fork")
    with context.Pool(2) as pool:
        assert pool.map(work, range(5)) == [1, 2, 3, 4, 5]
    with context.Manager() as manager:
        shared = manager.dict(a=1)
        assert shared["a"] == 1
    queue = context.Queue()
    process = context.Process(target=queue.put, args=(7,))
    process.start()
    assert queue.get(timeout=10) == 7
    process.join()
    done()
