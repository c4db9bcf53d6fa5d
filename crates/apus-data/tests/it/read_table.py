"""Compares a table with the bytes that it was made from, as numpy reads those: `read_table.py FORM FILE MANIFEST`."""

import json
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet

form, path, manifest = sys.argv[1:]
table = pa.ipc.open_stream(path).read_all() if form == "arrow" else pyarrow.parquet.read_table(path)
table.validate(full=True)
assert table.schema.metadata[b"box_size"] == b"[25.0, 25.0, 25.0]", table.schema.metadata


def plain(value):
    """Numbers that can be compared: NaN is equal to itself, -0.0 is not 0.0."""
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return [plain(v) for v in value.values()]
    if isinstance(value, (float, np.floating)):
        return float(value).hex()
    return value


def expected(column):
    if column["variable"]:
        values = [bytes.fromhex(v) for v in column["raw"]]
        if column["numpy"] == "str":
            return [v.decode() for v in values]
        return [np.frombuffer(v, column["numpy"]).tolist() for v in values]
    raw = bytes.fromhex(column["raw"])
    dtype = np.dtype(column["numpy"])
    if dtype.itemsize * int(np.prod(column["row_shape"])) == 0:
        return None
    values = np.frombuffer(raw, dtype.base if dtype.subdtype else dtype)
    values = values.reshape(-1, *column["row_shape"], *dtype.shape)
    dtype = dtype.base
    if dtype.kind == "V" and dtype.names:
        return [[v[name].tolist() for name in dtype.names] for v in values]
    if dtype.kind == "V":
        return [v.tobytes() for v in values]
    if dtype.kind == "S":
        return [v.decode() for v in values.tolist()]
    return values.tolist()


columns = json.load(open(manifest))
assert table.schema.names == [column["name"] for column in columns]
for column in columns:
    field = table.schema.field(column["name"])
    key, value = column["metadata"]
    assert field.metadata[key.encode()] == value.encode(), field.metadata
    assert not field.nullable
    found, wanted = table[column["name"]].to_pylist(), expected(column)
    if wanted is None:
        wanted = [[]] * table.num_rows
    assert plain(found) == plain(wanted), (column["name"], field.type, found[:2], wanted[:2])
print(f"{len(columns)} columns of {table.num_rows} rows")
