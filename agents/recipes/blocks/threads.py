"""How many threads are worth starting."""

import numpy as np

from open_autoglm.sandbox.inside.runtime.runtime import Context

SMALL_TABLE = 200_000


def threads_for(X: np.ndarray, ctx: Context) -> int:
    """Return 1 for a small table: there the threads of boosting wait for each other longer than they work."""
    return 1 if X.size < SMALL_TABLE else ctx.n_jobs
