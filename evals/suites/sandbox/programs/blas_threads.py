"""Linear algebra on threads."""

import numpy as np
from attack import *

a = np.random.default_rng(0).normal(size=(400, 400))
assert np.allclose(np.linalg.inv(a) @ a, np.eye(400), atol=1e-6)
assert len(np.linalg.svd(a)[1]) == 400
done()
