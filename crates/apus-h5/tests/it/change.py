"""Adds to a file, writes into it and deletes from it, as users do with a file that they fetched; then reads it again."""

import sys

import h5py
import numpy as np

path = sys.argv[1]
with h5py.File(path, "r+") as file:
    for i in range(40):
        file.attrs[f"new {i}"] = f"text {i}"
        file["data"].attrs[f"new {i}"] = i
    for i in range(40):
        file.create_group(f"group {i}")
    file["data"][0] = 7
    file["unwritten"][2] = 5
    del file.attrs["attribute 3"]
    file["more"] = np.arange(1000)

with h5py.File(path, "r") as file:
    assert len(file.attrs) == 319 - 1 + 40, len(file.attrs)
    assert file.attrs["attribute 318"] == b"v" * 50
    assert file.attrs["new 39"] == "text 39"
    assert len(file["data"].attrs) == 70
    assert len(file) == 43
    assert file["data"][:].tolist() == [7, 2]
    assert file["unwritten"][:].tolist() == [0, 0, 5, 0]
    assert file["more"][999] == 999
print("changed")
