"""Cross-validation in processes of loky, with a function of the program itself."""

import joblib
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from attack import *


def square(x):
    return x * x


if __name__ == "__main__":
    train = pd.read_csv(IN / "train.csv")
    assert len(cross_val_score(LogisticRegression(), train[["a", "b"]], train.y, n_jobs=2)) == 5
    assert joblib.Parallel(n_jobs=2)(joblib.delayed(square)(x) for x in range(4)) == [0, 1, 4, 9]
    done()
