"""Write HDF5 files with h5py, damage them, and say what h5py reads then.

usage: make_damaged_files.py DIR

Prints for each file and object the shape and the bytes of the values as hexadecimal digits, or null where h5py refuses it. Damage is
done to the bytes of one structure, and its checksum is computed again.
"""
import json
import os
import pathlib
import struct
import sys

import h5py
import numpy as np
from h5py import h5s

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[4] / "tests"))
from mutants import Region, checked_regions

os.chdir(sys.argv[1])
told = {}


def tell(name: str, objects=("a",)) -> None:
    told[name] = {}
    for path in objects:
        try:
            with h5py.File(f"{name}.h5") as f:
                a = f[path][()]
                told[name][path] = [list(a.shape), a.astype(a.dtype.newbyteorder("<")).tobytes().hex()]
        except Exception:
            told[name][path] = None


def sound(name: str, make, libver=None, objects=("a",)) -> None:
    with h5py.File(f"{name}.h5", "w", libver=libver) as f:
        make(f)
    tell(name, objects)
    assert None not in told[name].values(), name


def damaged(name: str, make, damage, libver=None, objects=("a",), matters=True) -> None:
    """`matters`: h5py must not read any more what it read before."""
    sound(name, make, libver, objects)
    before = told[name]
    with open(f"{name}.h5", "rb") as f:
        data = bytearray(f.read())
    old = bytes(data)
    regions = checked_regions(old)
    damage(data)
    assert data != old, name
    for region in regions:
        if data[region.start:region.end] != old[region.start:region.end]:
            region.repair(data)
    with open(f"{name}.h5", "wb") as f:
        f.write(data)
    tell(name, objects)
    assert not matters or told[name] != before, name


# --- Version-1 B-trees of chunks

def one(f):
    f.create_dataset("a", data=np.arange(40, dtype="u1"), chunks=(4,))


def two_levels(f):
    f.create_dataset("a", data=(np.arange(400) % 251).astype("u1"), chunks=(2,))


def nodes(data, level: int) -> list[int]:
    """Addresses of the nodes of chunks of that level."""
    return [i for i in range(len(data)) if data[i:i + 6] == b"TREE\1" + bytes([level])]


def key(node: int, i: int, rank: int = 1) -> int:
    """Where key `i` of a node is: size, mask, offsets, then a child."""
    return node + 24 + i * (8 + 8 * (rank + 1) + 8)


def set_offset(i: int, value: int, level: int = 0):
    def damage(data):
        struct.pack_into("<Q", data, key(nodes(data, level)[0], i) + 8, value)
    return damage


def swap_keys(data):
    a, b = (key(nodes(data, 0)[0], i) for i in (2, 3))
    data[a:a + 24], data[b:b + 24] = data[b:b + 24], data[a:a + 24]


def neighbour(data):
    node = nodes(data, 0)[1]
    struct.pack_into("<Q", data, node + 8, node)


damaged("btree1_order", one, swap_keys)
damaged("btree1_twice", one, set_offset(3, 8))
damaged("btree1_off_grid", one, set_offset(3, 13))
damaged("btree1_right_bound", one, set_offset(10, 12))
damaged("btree1_last_key_off_grid", one, set_offset(10, 41))
damaged("btree1_parent", two_levels, set_offset(1, 8, level=1))
damaged("btree1_neighbour", two_levels, neighbour, matters=False)


def beyond(data):
    """Moves the last chunk and the bound after it out of the extent."""
    set_offset(9, 400)(data)
    set_offset(10, 404)(data)


damaged("btree1_beyond", one, beyond)


def resized(f):
    dataset = f.create_dataset("a", data=np.arange(3000, dtype="i4").reshape(60, 50), chunks=(2, 1), maxshape=(None, None))
    for shape in ((31, 50), (31, 17), (70, 60), (9, 60), (9, 3), (33, 44)):
        dataset.resize(shape)
        dataset[::5] = shape[0]
    for i, maxshape in enumerate(((None, 50), (60, 50))):
        dataset = f.create_dataset(f"b{i}", data=np.arange(3000, dtype="i4").reshape(60, 50), chunks=(7, 5), maxshape=maxshape)
        for shape in ((31, 50), (31, 17), (44, 43), (9, 43), (9, 3), (33, 44)):
            dataset.resize(shape)
            dataset[::5] = shape[0]


for name, libver in (("resized_old", ("earliest", "latest")), ("resized_new", ("v110", "v110")), ("resized_latest", "latest")):
    sound(name, resized, libver, ("a", "b0", "b1"))


# --- Other chunk indexes

def unlimited(f):
    f.create_dataset("a", data=np.arange(63, dtype="u1").reshape(9, 7), chunks=(2, 3), maxshape=(None, None))


def swap_records(data):
    leaf = data.index(b"BTLF") + 6
    a, b = leaf + 24, leaf + 48
    data[a + 8:a + 24], data[b + 8:b + 24] = data[b + 8:b + 24], data[a + 8:a + 24]


def fixed(f):
    f.create_dataset("a", data=np.arange(40, dtype="u1"), chunks=(4,), maxshape=(60,))


def extensible(f):
    f.create_dataset("a", data=np.arange(40, dtype="u1"), chunks=(4,), maxshape=(None,))


def set_u64(signature: bytes, at: int, value: int):
    def damage(data):
        struct.pack_into("<Q", data, data.index(signature) + at, value)
    return damage


damaged("btree2_order", unlimited, swap_records, "latest")
damaged("fixed_array_length", fixed, set_u64(b"FAHD", 8, 9), "latest", matters=False)
damaged("extensible_array_set", extensible, set_u64(b"EAHD", 12 + 4 * 8, 5), "latest")
damaged("fixed_array_header", fixed, set_u64(b"FADB", 6, 48), "latest")


def filtered(f):
    f.create_dataset("a", data=np.arange(63, dtype="u1").reshape(9, 7), chunks=(2, 3), maxshape=(None, None), compression="gzip")


def replace(old: bytes, new: bytes):
    def damage(data):
        at = data.index(old)
        data[at:at + len(old)] = new
    return damage


# The filter pipeline message becomes one that nobody knows.
damaged("btree2_without_filters", filtered, replace(bytes([0x0b, 12, 0, 1, 2, 1]), bytes([0x1b, 12, 0, 1, 2, 1])), "latest")


# --- Fill values and types

def sparse(f):
    f.create_dataset("a", (40,), "u1", chunks=(4,), fillvalue=9)[3:5] = 1


damaged("fill_time", sparse, replace(bytes([5, 7, 0, 1, 3, 0x2b]), bytes([5, 7, 0, 1, 3, 0x2e])), "latest")
damaged("reference_size", lambda f: f.create_dataset("a", (4,), h5py.ref_dtype), replace(bytes([0x17, 0, 0, 0, 8, 0, 0, 0]), bytes([0x17, 0, 0, 0, 16, 0, 0, 0])), ("earliest", "latest"), matters=False)


# --- Virtual datasets

def unlimited_virtual(f):
    source = f.create_dataset("own", data=np.arange(20, dtype="i2"), chunks=(5,), maxshape=(None,))
    layout = h5py.VirtualLayout((100,), "i2", maxshape=(None,))
    layout[0:h5s.UNLIMITED:1] = h5py.VirtualSource(source)[0:h5s.UNLIMITED:1]
    f.create_virtual_dataset("a", layout)


def max_dim(value: int):
    """The dataspace message of the virtual dataset: 1 axis, with a maximum."""
    def damage(data):
        space = data.index(bytes([2, 1, 1, 1]) + struct.pack("<Qq", 100, -1))
        struct.pack_into("<Q", data, space + 12, value)
    return damage


damaged("virtual_maximum", unlimited_virtual, max_dim(1000), "v110", matters=False)
damaged("virtual_low_maximum", unlimited_virtual, max_dim(100), "v110", matters=False)


# A virtual dataset that is its own source; h5py is not asked, it would not come back.
with h5py.File("virtual_cycle.h5", "w", libver="v110") as f:
    unlimited_virtual(f)
    f.move("a", "vds")
with open("virtual_cycle.h5", "rb") as f:
    data = f.read()
own, vds = (data.index(b"\3" + name) + 1 for name in (b"own", b"vds"))
changed = bytearray(data)
changed[own:own + 3], changed[vds:vds + 3] = b"vds", b"own"
for region in checked_regions(data):
    if region.start <= own < region.end or region.start <= vds < region.end:
        region.repair(changed)
with open("virtual_cycle.h5", "wb") as f:
    f.write(changed)


# --- Kinds of objects, and names

def plain(f):
    f.create_dataset("a", data=np.arange(4, dtype="u1"))
    f["a"].attrs["name"] = 1
    f["a"].attrs["other"] = 1


def fill_value_to_link_info(data):
    """Makes the second message of the dataset, whose body is long enough, one that only groups have."""
    at = data.index(b"OHDR", data.index(b"OHDR") + 4)
    body = data.index(bytes([0x15]), at)
    data[body] = 0x02


def rename(old: bytes, new: bytes):
    def damage(data):
        at = data.index(old)
        data[at:at + len(new)] = new
    return damage


damaged("both_kinds", plain, fill_value_to_link_info, "latest")
damaged("link_nul", lambda f: f.create_dataset("first_link", data=np.arange(4)), rename(b"first_link", b"first\0link"), "latest", ("first_link",))
damaged("link_latin1", lambda f: [f.create_dataset(n, data=np.arange(4)) for n in ("m_ller", "a")], rename(b"m_ller", b"m\xfcller"), "latest", ("m_ller", "a"))
damaged("old_link_latin1", lambda f: [f.create_dataset(n, data=np.arange(4)) for n in ("m_ller", "a")], rename(b"m_ller", b"m\xfcller"), ("earliest", "latest"), ("m_ller", "a"))
damaged("attribute_nul", plain, rename(b"name\0", b"n\0me\0"), "latest", matters=False)
damaged("attribute_latin1", plain, rename(b"name\0", b"n\xfcme\0"), "latest", matters=False)
tell("link_nul", ("first",))


with h5py.File("both_kinds.h5") as f:
    assert isinstance(f["a"], h5py.Group)
json.dump(told, sys.stdout)
