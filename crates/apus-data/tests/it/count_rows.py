"""Reads a whole table and says how large it is: `count_rows.py FORM FILE`."""

import sys

import pyarrow as pa
import pyarrow.parquet

table = pa.ipc.open_stream(sys.argv[2]).read_all() if sys.argv[1] == "arrow" else pyarrow.parquet.read_table(sys.argv[2])
table.validate(full=True)
print(f"{table.num_columns} columns of {table.num_rows} rows")
