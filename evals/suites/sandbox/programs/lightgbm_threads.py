"""LightGBM on two threads, saved as text."""

import lightgbm as lgb
import pandas as pd
from attack import *

train = pd.read_csv(IN / "train.csv")
model = lgb.LGBMClassifier(n_estimators=30, num_threads=2, verbose=-1).fit(train[["a", "b"]], train.y)
model.booster_.save_model(OUT / "model.txt")
assert model.score(train[["a", "b"]], train.y) > 0.9
done()
