"""Code that is compiled while it runs."""

import numba
from attack import *


@numba.njit(parallel=True)
def total(n):
    s = 0
    for i in numba.prange(n):
        s += i
    return s


assert total(1000) == 499_500
done()
