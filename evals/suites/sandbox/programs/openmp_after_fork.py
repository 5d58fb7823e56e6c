"""OpenMP in children that were forked after the parent had used it."""

import multiprocessing as mp
import pandas as pd
from sklearn.cluster import KMeans
from attack import *


def work(seed):
    train = pd.read_csv(IN / "train.csv")
    return KMeans(2, n_init=1, random_state=seed).fit(train[["a", "b"]]).n_iter_


if __name__ == "__main__":
    with mp.get_context("spawn").Pool(2) as pool:
        assert len(pool.map(work, range(4))) == 4
    done()
