"""Threads of joblib, its cache on disk, and its memory-mapped arrays."""

import joblib
import numpy as np
from attack import *

assert sum(joblib.Parallel(n_jobs=2, backend="threading")(joblib.delayed(abs)(x) for x in range(5))) == 10
memory = joblib.Memory("cache", verbose=0)
assert memory.cache(np.ones)(5).sum() == 5
joblib.dump(np.arange(10_000), "array.joblib")
assert joblib.load("array.joblib", mmap_mode="r")[5] == 5
done()
