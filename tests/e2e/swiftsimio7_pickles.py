"""Loads pickles in a process with swiftsimio 7 and compares them with what that swiftsimio itself reads from the files.

usage: swiftsimio7_pickles.py FOLDER SNAPSHOT...    FOLDER holds NAME.units, NAME.metadata and NAME.mask for each snapshot
Prints one line of JSON: how many attributes were equal, and the snapshots that swiftsimio itself does not read. Fails on any difference.
"""

import contextlib
import io
import json
import pathlib
import pickle
import sys
import warnings

import h5py
import numpy as np
from swiftsimio.masks import SWIFTMask
from swiftsimio.reader import SWIFTMetadata, SWIFTUnits

CLASSES = {"units": SWIFTUnits, "metadata": SWIFTMetadata, "mask": SWIFTMask}
# In the pickles alone: a stand-in for the open file.
EXTRA = {"_handle", "handle_manager"}
counted = 0


def differences(got, want, where, seen):
    """What differs between two values, types and units included; objects of swiftsimio attribute by attribute."""
    global counted
    if (id(got), id(want)) in seen:
        return
    seen.add((id(got), id(want)))
    counted += 1
    if type(got) is not type(want):
        yield f"{where}: {type(got).__name__} is not {type(want).__name__}"
    elif isinstance(want, np.ndarray):
        if str(getattr(got, "units", "")) != str(getattr(want, "units", "")):
            yield f"{where}: unit {got.units} is not {want.units}"
        if got.dtype != want.dtype or got.shape != want.shape or not np.array_equal(np.asarray(got), np.asarray(want), equal_nan=want.dtype.kind == "f"):
            yield f"{where}: {got!r} is not {want!r}"
        if got.flags.writeable != want.flags.writeable:
            yield f"{where}: writeable is {got.flags.writeable}"
    elif isinstance(want, dict):
        if set(got) != set(want):
            yield f"{where}: keys {set(got) ^ set(want)}"
        for key in set(got) & set(want):
            yield from differences(got[key], want[key], f"{where}[{key!r}]", seen)
    elif isinstance(want, (list, tuple)):
        if len(got) != len(want):
            yield f"{where}: {len(got)} items, not {len(want)}"
        for i, (a, b) in enumerate(zip(got, want)):
            yield from differences(a, b, f"{where}[{i}]", seen)
    elif type(want).__module__.startswith("swiftsimio"):
        ours, theirs = set(vars(got)) - EXTRA, set(vars(want)) - EXTRA
        if ours != theirs:
            yield f"{where}: attributes {ours ^ theirs}"
        for name in ours & theirs:
            yield from differences(vars(got)[name], vars(want)[name], f"{where}.{name}", seen)
    elif got != want and got is not want and not (got != got and want != want):
        yield f"{where}: {got!r} is not {want!r}"


def cells(mask):
    """The cells of a mask as rows of a table, in an order that does not depend on how ties (empty cells) were sorted."""
    columns = [np.asarray(mask.centers)] + [table[name][:, None].astype("f8") for name in mask.counts for table in (mask.counts, mask.offsets)]
    rows = np.column_stack(columns)
    return rows[np.lexsort(rows.T)]


def selected(mask, name):
    """The rows that a mask selects of one type."""
    ranges = np.asarray(getattr(mask, name)).reshape(-1, 2)
    return np.unique(np.concatenate([np.arange(a, b) for a, b in ranges] + [np.zeros(0, int)]))


def check_handle(units, path):
    """The fields can be looked up in the small file that the units carry."""
    with h5py.File(path) as f:
        fields = [f"{group}/{field}" for group in f if group.startswith("PartType") for field in f[group]]
        for field in fields:
            if field not in units._handle:
                yield f"{path}: {field} is not in the handle"
                continue
            try:
                shape = f[field].shape
            except KeyError:
                continue  # this HDF5 library does not open that dataset
            if units._handle[field].shape != shape:
                yield f"{path}: {field} has shape {units._handle[field].shape} in the handle"


def main(folder, paths):
    found, refused, constrained = [], {}, 0
    for path in paths:
        name = pathlib.Path(path).name
        loaded = {}
        for kind, cls in CLASSES.items():
            file = pathlib.Path(folder) / f"{name}.{kind}"
            if not file.exists():
                continue
            loaded[kind] = pickle.loads(file.read_bytes())
            if type(loaded[kind]) is not cls:
                found.append(f"{name}: {kind} is a {type(loaded[kind])}")
        found += check_handle(loaded["units"], path)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                own_units = SWIFTUnits(path)
                own_metadata = SWIFTMetadata(path, own_units)
        except Exception as error:
            refused[name] = f"{type(error).__name__}: {error}"
            continue
        found += differences(loaded["units"], own_units, f"{name}: units", set())
        found += differences(loaded["metadata"], own_metadata, f"{name}: metadata", set())
        if "mask" not in loaded:
            try:
                SWIFTMask(own_metadata)
                found.append(f"{name}: there is no mask, and swiftsimio reads one")
            except Exception as error:
                refused[name + " (mask)"] = f"{type(error).__name__}: {error}"
            continue
        mask, own_mask = loaded["mask"], SWIFTMask(own_metadata)
        found += differences(mask.metadata, own_metadata, f"{name}: mask.metadata", set())
        if list(mask.counts) != list(own_mask.counts) or not np.array_equal(cells(mask), cells(own_mask)):
            found.append(f"{name}: the cells differ")
        found += differences(mask.cell_size, own_mask.cell_size, f"{name}: mask.cell_size", set())
        box = own_metadata.boxsize
        for low, high in ((0.2, 0.5), (0.0, 0.1), (-0.1, 0.3), (0.75, 1.2)):
            region = [[low * size, high * size] for size in box[: int(own_metadata.dimension)]] + [None] * (3 - int(own_metadata.dimension))
            results = []
            for one in (mask, own_mask):
                try:
                    one.constrain_spatial(region)
                    results.append({t: selected(one, t) for t in one.metadata.present_particle_names})
                except Exception as error:
                    results.append(f"{type(error).__name__}: {error}")
            if isinstance(results[1], str) or isinstance(results[0], str):
                if results[0] != results[1]:
                    found.append(f"{name}: constrain_spatial gives {str(results[0])[:200]}, not {str(results[1])[:200]}")
                continue
            for particle_type, rows in results[1].items():
                constrained += len(rows)
                if not np.array_equal(results[0][particle_type], rows):
                    found.append(f"{name}: constrain_spatial selects other rows of {particle_type}")
    print(json.dumps({"attributes": counted, "rows": constrained, "refused": refused}))
    for line in found[:40]:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    raise SystemExit(main(sys.argv[1], sys.argv[2:]))
