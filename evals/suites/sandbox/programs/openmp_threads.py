"""Boosting of scikit-learn on OpenMP."""

import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from attack import *

train = pd.read_csv(IN / "train.csv")
assert (
    HistGradientBoostingClassifier(max_iter=20).fit(train[["a", "b"]], train.y).score(train[["a", "b"]], train.y) > 0.8
)
done()
