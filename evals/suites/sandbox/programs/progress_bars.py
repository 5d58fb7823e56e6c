"""Bars that write over themselves."""

import warnings
from tqdm import tqdm
from attack import *

assert sum(tqdm(range(20_000), desc="fitting", mininterval=0)) == 199_990_000
done()
