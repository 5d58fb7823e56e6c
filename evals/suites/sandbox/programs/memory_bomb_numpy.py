"""The same in one large array."""

import numpy as np
from attack import *

array = np.ones(200_000_000)
breach(f"{array.nbytes} bytes")
