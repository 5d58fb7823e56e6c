"""A memory-mapped array of a hundred megabytes, sparse while it is written."""

import numpy as np
from attack import *

array = np.memmap("array.bin", dtype="float32", mode="w+", shape=(25_000_000,))
array[::1000] = 1
array.flush()
assert float(np.memmap("array.bin", dtype="float32", mode="r").sum()) == 25_000
done()
