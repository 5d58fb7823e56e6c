"""Reads its tables, groups, joins, writes the file that it owes."""

import pandas as pd
from attack import *

train, new = pd.read_csv(IN / "train.csv"), pd.read_csv(IN / "new.csv")
assert len(train) == 400 and "y" not in new
means = train.groupby("y")[["a", "b"]].mean()
joined = train.merge(means, left_on="y", right_index=True, suffixes=("", "_mean"))
joined.to_csv(OUT / "joined.csv", index=False)
done()
