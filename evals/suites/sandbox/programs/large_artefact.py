"""An artefact of sixty megabytes."""

import numpy as np
from attack import *

np.save(OUT / "large.npy", np.random.default_rng(0).normal(size=7_500_000))
done()
