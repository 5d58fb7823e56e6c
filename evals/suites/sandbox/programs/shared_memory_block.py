"""An array in named shared memory, between processes."""

import multiprocessing as mp
from multiprocessing import shared_memory
import numpy as np
from attack import *


def fill(name):
    block = shared_memory.SharedMemory(name)
    np.ndarray((1000,), dtype=float, buffer=block.buf)[:] = 2
    block.close()


if __name__ == "__main__":
    block = shared_memory.SharedMemory(create=True, size=8000)
    process = mp.get_context("fork").Process(target=fill, args=(block.name,))
    process.start()
    process.join()
    assert np.ndarray((1000,), dtype=float, buffer=block.buf).sum() == 2000
    block.close()
    block.unlink()
    done()
