"""XGBoost on two threads."""

import pandas as pd
import xgboost as xgb
from attack import *

train = pd.read_csv(IN / "train.csv")
xgb.XGBClassifier(n_estimators=20, n_jobs=2).fit(train[["a", "b"]], train.y == "yes").save_model(OUT / "model.json")
done()
