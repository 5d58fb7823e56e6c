"""A forest on two threads."""

import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from attack import *

train = pd.read_csv(IN / "train.csv")
assert RandomForestClassifier(30, n_jobs=2).fit(train[["a", "b"]], train.y).score(train[["a", "b"]], train.y) > 0.9
done()
