"""CatBoost, which writes files where it runs."""

import pandas as pd
from catboost import CatBoostClassifier
from attack import *

train = pd.read_csv(IN / "train.csv")
model = CatBoostClassifier(iterations=20, thread_count=2, verbose=False).fit(train[["a", "b"]], train.y)
model.save_model(str(OUT / "model.cbm"))
done()
