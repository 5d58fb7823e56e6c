"""Takes a third of its memory again and again, and gives it back."""

import numpy as np
from attack import *

for _ in range(5):
    array = np.ones(40_000_000, dtype="float64")
    del array
done()
