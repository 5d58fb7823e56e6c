"""A database in a file with a journal beside it, and one in memory."""

import sqlite3
from attack import *

for place in ("data.db", ":memory:"):
    with sqlite3.connect(place) as database:
        database.execute("pragma journal_mode=wal")
        database.execute("create table t (a, b)")
        database.executemany("insert into t values (?, ?)", [(n, n * 2) for n in range(10_000)])
        assert database.execute("select sum(b) from t").fetchone() == (99_990_000,)
done()
