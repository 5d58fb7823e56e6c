"""Parquet and CSV on the threads of Arrow, and a query."""

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from attack import *

table = pa.table({"a": range(300_000), "b": [str(n % 7) for n in range(300_000)]})
pq.write_table(table, "t.parquet", row_group_size=20_000)
assert pq.read_table("t.parquet", use_threads=True).num_rows == 300_000
assert ds.dataset("t.parquet").to_table(filter=pc.field("b") == "3").num_rows > 40_000
pa.csv.write_csv(table, "t.csv")
assert pa.csv.read_csv("t.csv").num_rows == 300_000
done()
