#!/usr/bin/env python3
"""Write datasets whose values lie in other files, and print in which: those without which the values are others.

usage: make_source_files.py OUTDIR
"""
import json
import os
import sys

import h5py
import numpy as np

os.chdir(sys.argv[1])
# File, dataset, first row and end of what is read.
READS = (("outer.h5", "over_virtual", 0, 150), ("outer.h5", "over_virtual", 0, 50), ("outer.h5", "over_virtual", 60, 150),
         ("outer.h5", "over_virtual", 100, 150), ("outer.h5", "over_link", 0, 50), ("outer.h5", "own", 0, 50), ("a.h5", "chain", 0, 50),
         ("outer.h5", "deep", 0, 20))


def layout(*parts):
    whole = h5py.VirtualLayout((50 * len(parts),), "f8")
    for i, (file, dataset) in enumerate(parts):
        whole[50 * i : 50 * (i + 1)] = h5py.VirtualSource(file, dataset, (50,))
    return whole


def values(file, dataset, start, end):
    with h5py.File(file) as f:
        try:
            return f[dataset][start:end].tobytes()
        except KeyError:
            return None


for name, first in (("inner.h5", 1), ("beside.h5", 1000), ("c.h5", 2000)):
    with h5py.File(name, "w") as f:
        f["x"] = np.arange(first, first + 50, dtype="f8")
for i in range(14):
    with h5py.File(f"level{i}.h5", "w") as f:
        f.create_virtual_dataset("x", layout((f"level{i + 1}.h5" if i < 13 else "inner.h5", "x")))
with h5py.File("middle.h5", "w") as f:
    f.create_virtual_dataset("v", layout(("inner.h5", "x")))
with h5py.File("b.h5", "w") as f:
    f["y"], f["z"] = h5py.ExternalLink("inner.h5", "/x"), h5py.ExternalLink("c.h5", "/x")
with h5py.File("a.h5", "w") as f:
    f["chain"] = h5py.ExternalLink("b.h5", "/z")
with h5py.File("outer.h5", "w") as f:
    f["x"] = np.arange(50, dtype="f8")
    f.create_virtual_dataset("over_virtual", layout(("middle.h5", "v"), ("beside.h5", "x"), ("missing.h5", "x")), fillvalue=-1)
    f.create_virtual_dataset("over_link", layout(("b.h5", "y")))
    f.create_virtual_dataset("own", layout((".", "x")))
    f.create_virtual_dataset("deep", layout(("level0.h5", "x")))

expected = []
for file, *what in READS:
    whole, needed = values(file, *what), []
    for name in sorted(set(os.listdir(".")) - {file}):
        os.rename(name, "away")
        if values(file, *what) != whole:
            needed.append(name)
        os.rename("away", name)
    expected.append((file, *what, needed))
print(json.dumps(expected))
