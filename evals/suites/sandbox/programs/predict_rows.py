"""Predictions of the promised shape come over."""

import numpy as np


def load(directory):
    return None


def fit(train, ctx):
    return None


def predict(model, rows, ctx):
    print("predicted", len(rows))
    return np.full((len(rows), 2), 0.5)
