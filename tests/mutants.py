#!/usr/bin/env python3
"""Damages small HDF5 files and compares what Apus reads in them with what h5py reads.

    mutants.py --count 2000 --seed 1        makes so many mutants, and fails where both read something and it differs
    mutants.py --replay 1-1234              the same for one mutant, with what both sides say

h5py writes the files: each layout, chunk index, filter, kind of group and of attribute. A mutant is one of them with a few bytes
of its metadata changed; checksums are computed again, so that damage gets past them. Apus may refuse what h5py reads, and
h5py (which may also crash or hang: it runs in a process of its own) what Apus reads. No object may be of another kind, shape, type
or value in one than in the other.

A mutant depends on nothing but its name, SEED-NUMBER. Apus is `crates/apus-h5/examples/digest_files.rs`, which cargo builds first.
"""
import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import pathlib
import random
import resource
import select
import struct
import subprocess
import sys
import tempfile
import time

os.environ["HDF5_USE_FILE_LOCKING"] = "FALSE"

import h5py
import numpy as np
from h5py import h5d, h5f, h5p, h5s, h5t, h5z

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "crates/apus-h5/tests/it"))
import dump_metadata

# The same as in the example.
MAX_DEPTH, MAX_OBJECTS, MAX_BYTES = 3, 100, 4 << 20
# What a reader may take for one file. libhdf5 hangs now and then; Apus must not, however busy the machine is.
H5PY_LIMIT_S, APUS_LIMIT_S, START_LIMIT_S = 1, 30, 60
# h5py begins anew after so many files: what damaged ones leave behind adds up.
FILES_PER_READER = 1000
BATCH = 200


# --- The files that mutants are made of ------------------------------------------------------------------------------------

def numbers(shape, dtype="f4"):
    n = int(np.prod(shape))
    return (np.arange(n) * 7 % 251).astype(dtype).reshape(shape)


def contiguous(f):
    f["a"] = numbers((10, 3))
    f.create_dataset("big", data=numbers(12, ">i2"))
    f.create_dataset("never_written", (5,), "f8", fillvalue=2.5)
    f["scalar"] = 3.5
    f["null"] = h5py.Empty("f4")
    f.create_group("g").create_dataset("b", data=numbers(9, "u1"))
    f["g"].attrs["x"] = 1


def compact(f):
    for name, dtype in (("a", "<f8"), ("b", ">i4")):
        plist = h5p.create(h5p.DATASET_CREATE)
        plist.set_layout(h5d.COMPACT)
        data = numbers((2, 3), dtype)
        dataset = h5d.create(f.id, name.encode(), h5t.py_create(data.dtype), h5s.create_simple(data.shape), plist)
        dataset.write(h5s.ALL, h5s.ALL, data)


def chunks(f):
    """Version-1 B-trees in old files, fixed arrays in new ones."""
    f.create_dataset("one", data=numbers(20), chunks=(4,))
    f.create_dataset("two", data=numbers((10, 9), "i2"), chunks=(4, 2), compression="gzip")
    sparse = f.create_dataset("sparse", (40, 6), "u1", chunks=(4, 3), fillvalue=9)
    sparse[3:5, 2:4] = 1
    sparse[30] = 2


def many_chunks(f):
    """More than one level of a B-tree."""
    f.create_dataset("a", data=numbers(400, "u1"), chunks=(2,), maxshape=(None,))


def resized(f):
    for name, maxshape in (("a", (None, 4)), ("b", (None, None)), ("c", (30, 8))):
        dataset = f.create_dataset(name, data=numbers((20, 4), "i2"), chunks=(3, 2), maxshape=maxshape)
        dataset.resize((7, 3))
        dataset.resize((10, 4))


def single(f):
    f.create_dataset("a", data=numbers((4, 3)), chunks=(4, 3))
    f.create_dataset("b", data=numbers((6, 2), "i4"), chunks=(6, 2), compression="gzip", shuffle=True)


def implicit(f):
    for name, maxshape in (("a", (7, 5)), ("b", (12, 5))):
        plist = h5p.create(h5p.DATASET_CREATE)
        plist.set_chunk((2, 2))
        plist.set_alloc_time(h5d.ALLOC_TIME_EARLY)
        data = numbers((7, 5), "<i2")
        dataset = h5d.create(f.id, name.encode(), h5t.py_create(data.dtype), h5s.create_simple(data.shape, maxshape), plist)
        dataset.write(h5s.ALL, h5s.ALL, data)


def fixed_array(f):
    f.create_dataset("a", data=numbers((9, 4)), chunks=(2, 2), maxshape=(12, 9))
    f.create_dataset("b", data=numbers(20, "i4"), chunks=(4,), fletcher32=True)


def fixed_array_pages(f):
    dataset = f.create_dataset("a", (1300,), "u1", chunks=(1,))
    dataset[1020:1030] = 7


def extensible_array(f):
    f.create_dataset("a", data=numbers((40, 2), "i2"), chunks=(2, 2), maxshape=(None, 4))
    f.create_dataset("b", data=numbers(30), chunks=(4,), maxshape=(None,), compression="gzip")
    f.create_dataset("c", data=numbers((4, 60), "u1"), chunks=(2, 1), maxshape=(9, None))


def extensible_array_pages(f):
    dataset = f.create_dataset("a", (9000,), "u1", chunks=(1,), maxshape=(None,))
    dataset[8000:8010] = 5


def btree2(f):
    f.create_dataset("a", data=numbers((9, 7), "i2"), chunks=(2, 3), maxshape=(None, None))
    f.create_dataset("b", data=numbers((4, 5)), chunks=(2, 2), maxshape=(None, None), compression="gzip")


def btree2_levels(f):
    f.create_dataset("a", data=numbers((20, 15), "u1"), chunks=(1, 1), maxshape=(None, None))


def filters(f):
    f.create_dataset("all", data=numbers((30, 2), "i4"), chunks=(8, 2), compression="gzip", shuffle=True, fletcher32=True)
    f.create_dataset("lzf", data=numbers(40, "u2"), chunks=(16,), compression="lzf", shuffle=True)
    f.create_dataset("scale_i", data=numbers(30, "i4"), chunks=(10,), scaleoffset=0)
    f.create_dataset("scale_f", data=numbers(30, "f4") / 8, chunks=(10,), scaleoffset=2)


def nbit(f):
    for name, dtype, precision in (("a", h5t.STD_I32LE, 20), ("b", h5t.STD_U16BE, 9)):
        dtype = dtype.copy()
        dtype.set_precision(precision)
        plist = h5p.create(h5p.DATASET_CREATE)
        plist.set_chunk((5,))
        plist.set_filter(h5z.FILTER_NBIT)
        dataset = h5d.create(f.id, name.encode(), dtype, h5s.create_simple((13,)), plist)
        dataset.write(h5s.ALL, h5s.ALL, numbers(13, "i4"))


def types(f):
    member = [("x", "<f4"), ("n", ">i2"), ("s", "S3"), ("v", "<f8", (2,))]
    f["compound"] = np.array([(i, i, b"ab", (i, -i)) for i in range(4)], member)
    f.create_dataset("enum", data=[0, 1, 2], dtype=h5py.enum_dtype({"A": 0, "B": 1, "C": 2}, "i1"))
    f["bool"] = np.array([True, False])
    f["array"] = np.zeros(3, [("m", "i4", (2, 2))])
    f["half"] = numbers(5, "f2")
    f["opaque"] = np.array([b"abc", b"def"], "V3")
    f["complex"] = numbers(3, "c8")


def strings(f):
    f["fixed"] = np.array([b"one", b"three"], "S6")
    f["utf8"] = np.array(["eins".encode(), "zw\u00f6lf".encode()], h5py.string_dtype("utf-8", 8))
    f["variable"] = np.array(["a", "bc", ""], h5py.string_dtype())
    sequences = f.create_dataset("sequences", (3,), h5py.vlen_dtype("i4"))
    sequences[0], sequences[1] = [1, 2, 3], [4]
    f.attrs["text"] = "value"
    f.attrs["fixed"] = np.bytes_(b"value")


def named_type(f):
    f["type"] = np.dtype([("x", "f4"), ("y", "i2")])
    f.create_dataset("a", (3,), f["type"])
    f["a"].attrs.create("t", np.zeros(2, f["type"].dtype), dtype=f["type"])


def attributes(f):
    for i in range(5):
        f.attrs[f"a{i}"] = numbers(i + 1, "i4")
    f.create_dataset("d", data=numbers(3)).attrs["unit"] = np.bytes_(b"m/s")
    f["d"].attrs["shape"] = numbers((2, 2), ">f8")


def many_attributes(f):
    for i in range(12):
        f.attrs[f"attribute {i}"] = i
    f["d"] = numbers(3)
    for i in range(10):
        f["d"].attrs[f"a{i}"] = numbers(2)


def links(f):
    g = f.create_group("g")
    g["d"] = numbers(4)
    f["hard"] = g["d"]
    f["soft"] = h5py.SoftLink("/g/d")
    f["relative"] = h5py.SoftLink("g")
    f["dangling"] = h5py.SoftLink("nowhere")
    f["external"] = h5py.ExternalLink("source_0.h5", "/d")
    f["external_group"] = h5py.ExternalLink("source_1.h5", "/")


def many_links(f):
    for i in range(24):
        f.create_group(f"link {i}") if i % 3 else f.create_dataset(f"link {i}", data=numbers(2, "u1"))


def ordered_links(f):
    g = f.create_group("g", track_order=True)
    for name in ("z", "y", "x"):
        g[name] = numbers(2)
    g.attrs["b"], g.attrs["a"] = 1, 2


def virtual(f):
    layout = h5py.VirtualLayout((10, 3), "f4")
    for i in range(2):
        layout[4 * i:4 * i + 4] = h5py.VirtualSource(f"source_{i}.h5", "d", (4, 3))
    f.create_virtual_dataset("a", layout, fillvalue=-1)
    f["own"] = numbers(6, "i4")
    layout = h5py.VirtualLayout((6,), "i4")
    layout[1:6:2] = h5py.VirtualSource(f["own"])[0:3]
    layout[0:2] = h5py.VirtualSource(f["own"])[4:6]
    f.create_virtual_dataset("b", layout, fillvalue=7)


def virtual_unlimited(f):
    source = f.create_dataset("own", data=numbers((6, 2), "i2"), chunks=(2, 2), maxshape=(None, 2))
    layout = h5py.VirtualLayout((1, 2), "i2", maxshape=(None, 2))
    sel = h5py.VirtualSource(source)
    layout[0:h5s.UNLIMITED:1, 0:2] = sel[0:h5s.UNLIMITED:1, 0:2]
    f.create_virtual_dataset("a", layout, fillvalue=3)


def virtual_printf(f):
    space = h5s.create_simple((4, 3), (h5s.UNLIMITED, 3))
    space.select_hyperslab((0, 0), (h5s.UNLIMITED, 1), (4, 3), (4, 3))
    plist = h5p.create(h5p.DATASET_CREATE)
    plist.set_virtual(space, b"source_%b.h5", b"d", h5s.create_simple((4, 3)))
    h5d.create(f.id, b"a", h5t.IEEE_F32LE, space, plist)


GENERATIONS = {"old": ("earliest", "latest"), "new": ("v110", "v110"), "latest": ("latest", "latest"),
               "short": ("earliest", "latest"), "user block": ("v110", "v110")}
BOTH, NEW = ("old", "new"), ("new", "latest")
BASES = {
    contiguous: (*BOTH, "short", "user block"), compact: BOTH, chunks: (*BOTH, "latest", "short", "user block"), many_chunks: ("old",),
    resized: BOTH, single: NEW, implicit: ("new",), fixed_array: NEW, fixed_array_pages: ("new",), extensible_array: NEW,
    extensible_array_pages: ("new",), btree2: NEW, btree2_levels: ("new",), filters: BOTH, nbit: BOTH, types: ("old", "latest"),
    strings: BOTH, named_type: BOTH, attributes: (*BOTH, "short"), many_attributes: ("new",), links: (*BOTH, "short"),
    many_links: BOTH, ordered_links: ("new",), virtual: NEW, virtual_unlimited: NEW, virtual_printf: NEW,
}


def create(path: pathlib.Path, generation: str) -> h5py.File:
    """A new file: "short" has addresses and lengths of 4 bytes."""
    bounds = [getattr(h5f, f"LIBVER_{bound.upper()}") for bound in GENERATIONS[generation]]
    settings, access = h5p.create(h5p.FILE_CREATE), h5p.create(h5p.FILE_ACCESS)
    access.set_libver_bounds(*bounds)
    access.set_fclose_degree(h5f.CLOSE_STRONG)
    if generation == "short":
        settings.set_sizes(4, 4)
    if generation == "user block":
        settings.set_userblock(512)
    return h5py.File(h5f.create(str(path).encode(), h5f.ACC_TRUNC, settings, access))


class Base:
    """A sound file, and what is known of its bytes."""

    def __init__(self, path: pathlib.Path):
        self.data = path.read_bytes()
        raw = raw_ranges(path)
        self.regions = checked_regions(self.data)
        is_raw = bytearray(len(self.data))
        for start, end in raw:
            is_raw[start:end] = b"\1" * (end - start)
        # Far from any byte that is set, there is room for what is not there yet.
        near = bytearray(len(self.data))
        for i, byte in enumerate(self.data):
            if byte:
                near[max(0, i - 4):i + 5] = b"\1" * 9
        self.places = [i for i in range(8, len(self.data)) if near[i] and not is_raw[i]]
        starts = {start for start, _ in raw}
        self.pointers = [i for i in self.places if i + 8 <= len(self.data) and self.is_address(int.from_bytes(self.data[i:i + 8], "little"), starts)]

    def is_address(self, value: int, starts: set[int]) -> bool:
        """Whether something begins there: values, a structure with a signature, or an old object header."""
        if not 48 <= value <= len(self.data) - 8:
            return False
        there = self.data[value:value + 4]
        return value in starts or (there.isalpha() and there.isupper()) or (there[:2] == b"\1\0" and value % 8 == 0)


def make_bases(folder: pathlib.Path) -> dict[str, Base]:
    """Writes the files to be damaged, and those that they refer to."""
    for i in range(3):
        with h5py.File(folder / f"source_{i}.h5", "w") as f:
            f["d"] = numbers((4, 3)) + 100 * i
    bases = {}
    for make, generations in BASES.items():
        for generation in generations:
            name = f"{make.__name__} {generation}"
            path = folder / f"{name}.h5"
            with create(path, generation) as f:
                make(f)
            bases[name] = Base(path)
    return bases


def raw_ranges(path: pathlib.Path) -> list[tuple[int, int]]:
    """Where the values are."""
    ranges = []

    def visit(_, obj):
        if not isinstance(obj, h5py.Dataset) or obj.is_virtual:
            return
        if obj.chunks:
            for i in range(obj.id.get_num_chunks()):
                info = obj.id.get_chunk_info(i)
                ranges.append((info.byte_offset, info.byte_offset + info.size))
        elif (offset := obj.id.get_offset()) is not None:
            ranges.append((offset, offset + obj.id.get_storage_size()))

    with h5py.File(path) as f:
        f.visititems(visit)
    return ranges


# --- Checksums ---------------------------------------------------------------------------------------------------------------

def lookup3(data: bytes) -> int:
    """Bob Jenkins' hash, as HDF5 uses it."""
    mask = 0xffffffff
    length = len(data)
    a = b = c = (0xdeadbeef + length) & mask
    if length == 0:
        return c
    words = struct.unpack(f"<{-(-length // 12) * 3}I", data + bytes(-length % 12))
    for i in range(0, len(words) - 3, 3):
        a, b, c = a + words[i] & mask, b + words[i + 1] & mask, c + words[i + 2] & mask
        a = (a - c & mask) ^ ((c << 4 | c >> 28) & mask); c = c + b & mask
        b = (b - a & mask) ^ ((a << 6 | a >> 26) & mask); a = a + c & mask
        c = (c - b & mask) ^ ((b << 8 | b >> 24) & mask); b = b + a & mask
        a = (a - c & mask) ^ ((c << 16 | c >> 16) & mask); c = c + b & mask
        b = (b - a & mask) ^ ((a << 19 | a >> 13) & mask); a = a + c & mask
        c = (c - b & mask) ^ ((b << 4 | b >> 28) & mask); b = b + a & mask
    a, b, c = a + words[-3] & mask, b + words[-2] & mask, c + words[-1] & mask
    c = (c ^ b) - ((b << 14 | b >> 18) & mask) & mask
    a = (a ^ c) - ((c << 11 | c >> 21) & mask) & mask
    b = (b ^ a) - ((a << 25 | a >> 7) & mask) & mask
    c = (c ^ b) - ((b << 16 | b >> 16) & mask) & mask
    a = (a ^ c) - ((c << 4 | c >> 28) & mask) & mask
    b = (b ^ a) - ((a << 14 | a >> 18) & mask) & mask
    return (c ^ b) - ((b << 24 | b >> 8) & mask) & mask


class Region:
    """Bytes from `start` to `end` with a checksum at `place`."""

    def __init__(self, start: int, end: int, place: int | None = None):
        self.start, self.end = start, end
        self.place = end - 4 if place is None else place

    def computed(self, data) -> int:
        if self.place == self.end - 4:
            return lookup3(bytes(data[self.start:self.place]))
        return lookup3(bytes(data[self.start:self.place]) + bytes(4) + bytes(data[self.place + 4:self.end]))

    def is_right(self, data) -> bool:
        return self.end <= len(data) and self.computed(data) == int.from_bytes(data[self.place:self.place + 4], "little")

    def repair(self, data: bytearray) -> None:
        data[self.place:self.place + 4] = self.computed(data).to_bytes(4, "little")


def checked_regions(data: bytes) -> list[Region]:
    """All structures with a checksum. Where their length is not plain to see it is the first for which the checksum is right."""
    fixed = {b"BTHD": 38, b"FAHD": 28, b"EAHD": 72, b"FRHP": 146}
    searched = {b"OCHK": 2000, b"BTLF": 2100, b"BTIN": 2100, b"FADB": 600, b"EAIB": 600, b"EASB": 1200, b"EADB": 1200, b"FHIB": 1200}
    regions = []
    superblock = data.index(b"\x89HDF")
    if data[superblock + 8] >= 2:
        regions.append(Region(superblock, superblock + 48))
    for at in range(len(data) - 8):
        signature = data[at:at + 4]
        if signature == b"OHDR":
            flags = data[at + 5]
            prefix = 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
            size_bytes = 1 << (flags & 3)
            size = int.from_bytes(data[at + prefix:at + prefix + size_bytes], "little")
            lengths = [prefix + size_bytes + size + 4]
        elif signature in fixed:
            lengths = [fixed[signature]]
        elif signature in searched:
            lengths = range(14, min(searched[signature], len(data) - at))
        elif signature == b"FHDB":
            lengths = []
            for direct_bytes in (512, 1024, 2048, 4096):
                region = Region(at, at + direct_bytes, at + 5 + 8 + 4)
                if region.is_right(data):
                    regions.append(region)
                    break
        elif signature == b"GCOL":
            lengths = []
            regions += heap_objects(data, at)
        else:
            continue
        for length in lengths:
            region = Region(at, at + length)
            if region.is_right(data):
                regions.append(region)
                if signature in (b"FADB", b"EADB"):
                    regions += pages(data, region.end)
                break
    return regions


def pages(data: bytes, at: int) -> list[Region]:
    """Pages follow their block without a signature."""
    out = []
    while True:
        for n_elements in (1024, *range(1, 1024)):
            region = Region(at, at + 8 * n_elements + 4)
            if region.end <= len(data) and region.is_right(data):
                break
            if n_elements > 300:
                return out
        else:
            return out
        out.append(region)
        at = region.end


def heap_objects(data: bytes, at: int) -> list[Region]:
    """The mappings of virtual datasets, which are objects of the global heap, have checksums too."""
    out = []
    end = at + int.from_bytes(data[at + 8:at + 16], "little")
    at += 16
    while at + 16 <= end:
        index, size = struct.unpack("<H6xQ", data[at:at + 16])
        if index == 0:
            break
        region = Region(at + 16, at + 16 + size)
        if size > 8 and region.is_right(data):
            out.append(region)
        at += 16 + -(-size // 8) * 8
    return out


# --- Mutants -----------------------------------------------------------------------------------------------------------------

def mutate(bases: dict[str, Base], name: str) -> tuple[str, bytes, str]:
    """The mutant of that name: which file it was, its bytes, and what was done to it."""
    rng = random.Random(name)
    base_name = rng.choice(list(bases))
    base = bases[base_name]
    data = bytearray(base.data)
    done, touched = [], []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        at = rng.choice(base.places) if rng.random() < 0.96 else rng.randrange(8, len(data))
        text, places = redirect(rng, data, base) if base.pointers and rng.random() < 0.12 else change(rng, data, at)
        done.append(text)
        touched += places
    if rng.random() < 0.97:
        for region in base.regions:
            if any(region.start <= i < region.end for i in touched):
                region.repair(data)
    return base_name, bytes(data), "; ".join(done)


def redirect(rng: random.Random, data: bytearray, base: Base) -> tuple[str, list[int]]:
    """Lets one address be another that is in the file, or lets them change places: as `change`."""
    at, other = rng.choice(base.pointers), rng.choice(base.pointers)
    here, there = bytes(data[at:at + 8]), bytes(data[other:other + 8])
    data[at:at + 8] = there
    if rng.random() < 0.5:
        return f"copy the address at {other} to {at}", list(range(at, at + 8))
    data[other:other + 8] = here
    return f"swap the addresses at {at} and {other}", [*range(at, at + 8), *range(other, other + 8)]


def change(rng: random.Random, data: bytearray, at: int) -> tuple[str, list[int]]:
    """Changes a field at `at`: what was done, and the bytes that may have changed."""
    kind = rng.choice(("flip", "flip", "byte", "add", "add", "field", "swap", "copy"))
    if kind == "flip":
        bits = [rng.randrange(8) for _ in range(rng.choice((1, 1, 1, 2)))]
        for bit in bits:
            data[at] ^= 1 << bit
        return f"flip bits {bits} at {at}", [at]
    if kind == "byte":
        data[at] = rng.choice((0, 1, 2, 3, 4, 8, 16, 0x7f, 0x80, 0xfe, 0xff, rng.randrange(256)))
        return f"set byte {at} to {data[at]}", [at]
    width = min(rng.choice((1, 2, 4, 8, 8)), len(data) - at)
    places = list(range(at, at + width))
    if kind == "add":
        step = rng.choice((1, 1, 2, 3, 4, 8, 16)) * rng.choice((1, -1))
        value = int.from_bytes(data[at:at + width], "little") + step
        data[at:at + width] = (value % (1 << 8 * width)).to_bytes(width, "little")
        return f"add {step} to the {width} bytes at {at}", places
    if kind == "field":
        value = rng.choice((0, 1, 2, (1 << 8 * width) - 1, rng.randrange(300), 1 << rng.randrange(8 * width)))
        data[at:at + width] = (value % (1 << 8 * width)).to_bytes(width, "little")
        return f"set the {width} bytes at {at} to {value}", places
    near = max(8, min(len(data) - width, at + rng.choice((-1, 1)) * rng.choice((1, 2, 4, 8, 16, 24, 32, 40, 48, width, rng.randrange(200)))))
    here, there = bytes(data[at:at + width]), bytes(data[near:near + width])
    data[at:at + width] = there
    if kind == "swap":
        data[near:near + width] = here
    return f"{kind} {width} bytes from {near} to {at}", places + list(range(near, near + width))


# --- What h5py reads ---------------------------------------------------------------------------------------------------------

def read_file(path: str) -> dict:
    """What the example prints, in h5py's eyes."""
    out = {}
    try:
        with h5py.File(path, "r") as f:
            paths = [("/", 0)]
            while paths and len(out) < MAX_OBJECTS:
                name, depth = paths.pop()
                try:
                    obj = f[name]
                    out[name] = describe(obj)
                except Exception as error:
                    out[name] = {"error": str(error)}
                    continue
                if isinstance(obj, h5py.Group):
                    try:
                        names = [n if isinstance(n, str) else repr(n) for n in obj]
                        out[name]["links"] = sorted(names, key=str.encode)
                        if depth < MAX_DEPTH:
                            paths += [(f"{name.rstrip('/')}/{n}", depth + 1) for n in reversed(out[name]["links"])]
                    except Exception as error:
                        out[name]["links error"] = str(error)
    except Exception as error:
        out.setdefault("/", {"error": str(error)})
    return out


def describe(obj) -> dict:
    if isinstance(obj, h5py.Datatype):
        return {"kind": "named type"}
    about = {"kind": "group" if isinstance(obj, h5py.Group) else "dataset"}
    if isinstance(obj, h5py.Dataset):
        about["shape"] = list(obj.shape or ())
        try:
            dtype = obj.dtype
            if overlaps(dtype):
                return about
            # Of a bool, numpy does not say whether the enum has a sign.
            about["dtype"] = None if dtype.kind == "b" else dump_metadata.native_type(dtype)
            if int(np.prod([int(n) for n in obj.shape or (1,)], dtype=object)) * dtype.itemsize <= MAX_BYTES:
                about["values"] = digest(obj[...] if obj.shape is not None else None, dtype)
        except Exception as error:
            about["values error"] = str(error)
    try:
        attributes = {}
        for name in obj.attrs:
            attribute = obj.attrs.get_id(name)
            entry = [list(attribute.shape or ()), None, None]
            try:
                dtype = attribute.dtype
                entry[1] = dump_metadata.native_type(dtype)
                value = obj.attrs[name]
                if dtype.subdtype is None and not (isinstance(value, h5py.Empty)):
                    # h5py drops the axes of one-element strings, and decodes them.
                    entry[2] = digest(attribute_array(attribute, dtype), dtype)
            except Exception as error:
                pass
            attributes[name] = entry
        about["attributes"] = attributes
    except Exception as error:
        about["attributes error"] = str(error)
    return about


def overlaps(dtype) -> bool:
    """Whether members lie over each other: h5py leaves a float where it was when it reads it as a wider one."""
    if dtype.subdtype is not None:
        return overlaps(dtype.subdtype[0])
    if dtype.names is None:
        return False
    fields = sorted(((dtype.fields[name][1], dtype.fields[name][0]) for name in dtype.names), key=lambda field: field[0])
    ends = [0, *(offset + member.itemsize for offset, member in fields)]
    return any(offset < end for (offset, _), end in zip(fields, ends)) or any(overlaps(member) for _, member in fields)


def attribute_array(attribute, dtype):
    array = np.empty(attribute.shape, dtype=dtype)
    attribute.read(array)
    return array


def digest(array, dtype) -> str | None:
    """The digest of the packed values, None where numpy has no values to compare."""
    hashed = hashlib.sha256()
    if array is None:
        return hashed.hexdigest()[:16]
    if h5py.check_string_dtype(dtype) is not None and dtype.kind == "O":
        for value in np.asarray(array, dtype=object).ravel():
            # h5py keeps what is not UTF-8 as surrogates.
            value = value if isinstance(value, bytes) else b"" if value in (None, 0) else value.encode("utf-8", "surrogateescape")
            hashed.update(len(value).to_bytes(8, "little") + value)
    elif (base := h5py.check_vlen_dtype(dtype)) is not None:
        # h5py hands out big-endian sequences as if they were little-endian.
        if base.hasobject or not base.isnative:
            return None
        array = np.asarray(array, dtype=object) if not isinstance(array, np.ndarray) or array.dtype != object else array
        for value in array.ravel() if array.dtype == object else [array]:
            value = b"" if value is None or isinstance(value, int) else bytes.fromhex(dump_metadata.fixed(np.asarray(value, dtype=base)))
            hashed.update(len(value).to_bytes(8, "little") + value)
    elif dtype.hasobject:
        return None
    else:
        array = np.asarray(array)
        hashed.update(bytes.fromhex(dump_metadata.fixed(array)))
    return hashed.hexdigest()[:16]


def serve() -> None:
    """Reads the files that standard input names, one a line."""
    # A damaged size must not take the machine's memory.
    resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(read_file(line.rstrip("\n"))), flush=True)


class Reader:
    """A process that reads files one by one; it is started again when it crashes or hangs."""

    def __init__(self, command: list[str], limit_s: float, files_per_process: int | None = None, environment: dict | None = None):
        self.command, self.limit_s, self.files_per_process = command, limit_s, files_per_process
        self.says_ready = command[-1] == "--serve"
        self.n_hung = 0
        self.environment = os.environ | (environment or {})
        self.process = None

    def start(self) -> None:
        self.stop()
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=self.environment)
        self.pending, self.n_files = b"", 0
        if self.says_ready:
            assert self.line(START_LIMIT_S) == b"ready", self.command

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def read(self, paths: list[str]) -> list[dict | None]:
        """What it says of each, None where it crashed or hung."""
        out = []
        while len(out) < len(paths):
            if self.process is None or (self.files_per_process and self.n_files >= self.files_per_process):
                self.start()
            sent = paths[len(out):]
            try:
                self.process.stdin.write("".join(f"{path}\n" for path in sent).encode())
                self.process.stdin.flush()
            except BrokenPipeError:
                pass
            for _ in sent:
                line = self.line(self.limit_s)
                self.n_files += 1
                out.append(None if line is None else json.loads(line))
                if line is None:
                    self.stop()
                    break
        return out

    def line(self, limit_s: float) -> bytes | None:
        deadline = time.monotonic() + limit_s
        while b"\n" not in self.pending:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))
            self.n_hung += not ready
            part = os.read(self.process.stdout.fileno(), 1 << 16) if ready else b""
            if not part:
                return None
            self.pending += part
        line, self.pending = self.pending.split(b"\n", 1)
        return line


# --- The comparison ----------------------------------------------------------------------------------------------------------

def differences(found: dict | None, expected: dict | None) -> list[str]:
    """Where both read something, and it is not the same."""
    if found is None:
        return ["Apus crashed or hung"]
    if expected is None:
        return []
    out = []
    for path in sorted(found.keys() & expected.keys()):
        ours, theirs = found[path], expected[path]
        if "error" in ours or "error" in theirs:
            continue
        keys = ("kind",) if ours["kind"] != theirs["kind"] else ("links", "shape", "dtype", "values")
        for key in keys:
            if key in ("shape", "dtype") and ("values" not in ours or "values" not in theirs):
                continue
            if ours.get(key) is not None and theirs.get(key) is not None and ours[key] != theirs[key]:
                out.append(f"{path}: {key} {ours[key]} found, {theirs[key]} expected")
        ours, theirs = ours.get("attributes"), theirs.get("attributes")
        if ours is None or theirs is None:
            continue
        if ours.keys() != theirs.keys():
            out.append(f"{path}: attributes {sorted(ours)} found, {sorted(theirs)} expected")
        for name in ours.keys() & theirs.keys():
            if theirs[name][2] is not None and ours[name] != theirs[name]:
                out.append(f"{path}: attribute {name!r} {ours[name]} found, {theirs[name]} expected")
    return out


def read_values(answer: dict | None) -> int:
    return sum("values" in about for about in (answer or {}).values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000, help="the number of mutants")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="the number of the first mutant")
    parser.add_argument("--replay", metavar="SEED-NUMBER", help="only this mutant, in full")
    parser.add_argument("--keep", type=pathlib.Path, help="a folder for the mutants that differ")
    parser.add_argument("--apus", type=pathlib.Path, help="the program to be compared, instead of the one that cargo builds")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve()
        return 0
    apus = Reader([str(arguments.apus or build())], APUS_LIMIT_S)
    serve_command = [sys.executable, __file__, "--serve"]
    h5 = Reader(serve_command, H5PY_LIMIT_S, FILES_PER_READER)
    with tempfile.TemporaryDirectory(prefix="mutants") as folder:
        folder = pathlib.Path(folder)
        bases = make_bases(folder)
        if arguments.replay:
            return replay(bases, folder, arguments.replay, apus, h5)
        try:
            return compare_many(bases, folder, arguments, apus, h5, serve_command)
        finally:
            apus.stop()
            h5.stop()


def build() -> pathlib.Path:
    subprocess.run(["cargo", "build", "--quiet", "-p", "apus-h5", "--example", "digest_files"], cwd=ROOT, check=True)
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug/examples/digest_files"


def replay(bases, folder, name: str, apus: Reader, h5: Reader) -> int:
    base, data, done = mutate(bases, name)
    path = folder / f"mutant_{name}.h5"
    path.write_bytes(data)
    pathlib.Path(f"mutant_{name}.h5").write_bytes(data)
    [ours], [theirs] = apus.read([str(path)]), h5.read([str(path)])
    print(f"{name}: {base}: {done}\nApus: {json.dumps(ours, indent=1)}\nh5py: {json.dumps(theirs, indent=1)}")
    found = differences(ours, theirs)
    print("\n".join(found))
    return bool(found)


def compare_many(bases, folder, arguments, apus: Reader, h5: Reader, serve_command) -> int:
    # The sound files first: every object must be read by both, and alike.
    sound = [str(folder / f"{base}.h5") for base in bases]
    for path, ours, theirs in zip(sound, apus.read(sound), h5.read(sound)):
        if found := differences(ours, theirs):
            print(f"{path}: differs before it is damaged: {found}")
            return 1
    counts = collections.Counter()
    different = []
    pool = concurrent.futures.ThreadPoolExecutor(2)
    start = time.monotonic()
    for first in range(arguments.first, arguments.first + arguments.count, BATCH):
        names = [f"{arguments.seed}-{i}" for i in range(first, min(first + BATCH, arguments.first + arguments.count))]
        mutants = [mutate(bases, name) for name in names]
        paths = [folder / f"mutant_{name}.h5" for name in names]
        for path, (_, data, _) in zip(paths, mutants):
            path.write_bytes(data)
        texts = [str(path) for path in paths]
        found_and_expected = pool.map(lambda reader: reader.read(texts), (apus, h5))
        for name, path, (base, data, done), ours, theirs in zip(names, paths, mutants, *found_and_expected):
            counts["mutants"] += 1
            counts["h5py crashed or hung"] += theirs is None
            counts["datasets read by Apus"] += read_values(ours)
            counts["datasets read by h5py"] += read_values(theirs)
            found = differences(ours, theirs)
            if found and theirs is not None and not is_steady(serve_command, str(path), theirs):
                counts["h5py unsteady"] += 1
            elif found:
                different.append(name)
                print(f"{name}: {base}: {done}\n    " + "\n    ".join(found), flush=True)
                if arguments.keep:
                    arguments.keep.mkdir(parents=True, exist_ok=True)
                    (arguments.keep / path.name).write_bytes(data)
            path.unlink()
    counts["h5py hung"] = h5.n_hung
    counts["different"] = len(different)
    print(", ".join(f"{key}: {n}" for key, n in counts.items()), f"({time.monotonic() - start:.0f} s)")
    return bool(different)


def is_steady(serve_command, path: str, answer: dict) -> bool:
    """Whether h5py reads the same whatever its memory held before: what libhdf5 takes from beyond a buffer is no reference."""
    for fill in ("85", "170"):
        reader = Reader(serve_command, 10 * H5PY_LIMIT_S, environment={"MALLOC_PERTURB_": fill})
        [again] = reader.read([path])
        reader.stop()
        if again != answer:
            return False
    return True


if __name__ == "__main__":
    sys.exit(main())
