"""Loops in a destructor and in the collector of cycles, when everything else has ended."""

import gc
from attack import *


class Loop:
    def __del__(self):
        while True:
            pass


held = [Loop()]
held.append(held)
print("before", flush=True)
(OUT / "out.csv").touch()
held = None
gc.collect()
