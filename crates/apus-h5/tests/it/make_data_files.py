"""Write datasets of every layout and chunk index, and what h5py and numpy make of them: whole, and of random rows and columns.

usage: make_data_files.py OUTDIR SEED

DIGESTS.json: file -> object -> [shape, dtype, digest]; SELECTIONS.json: a list of {file, object, rows, inner, shape, digest};
VARIABLE.json: file -> object -> lists of the bytes or numbers of elements of variable length. A digest is the first half of the
sha256 of the little-endian C-order bytes.
"""
import ctypes
import glob
import hashlib
import json
import os
import sys

import h5py
import numpy as np
from h5py import h5d, h5p, h5s, h5t

out, seed = sys.argv[1], int(sys.argv[2])
os.makedirs(out, exist_ok=True)
os.chdir(out)
rng = np.random.default_rng(seed)
lib = ctypes.CDLL(glob.glob(os.path.join(os.path.dirname(h5py.__file__), "..", "h5py.libs", "libhdf5-*"))[0])
lib.H5Pset_chunk_opts.argtypes = [ctypes.c_int64, ctypes.c_uint]
U = h5s.UNLIMITED
GZ = dict(compression="gzip", compression_opts=1, shuffle=True)
digests, selections, variable = {}, [], {}


def digest(array):
    a = np.ascontiguousarray(array)
    return hashlib.sha256(a.astype(a.dtype.newbyteorder("<")).tobytes()).hexdigest()[:32]


def rows_of(n):
    """Rows in one of several manners: a list of [start, end)."""
    manner = rng.integers(6)
    if manner == 0 or n == 0:
        return [[int(a), int(a)] for a in rng.integers(0, n + 1, 2)]
    if manner in (1, 2):  # rising
        cuts = np.sort(rng.integers(0, n + 1, 2 * int(rng.integers(1, 40))))
        return [[int(a), int(b)] for a, b in cuts.reshape(-1, 2)]
    if manner == 3:  # single rows
        return [[int(a), int(a) + 1] for a in np.sort(rng.choice(n, min(n, 50), replace=False))]
    starts = rng.integers(0, n, int(rng.integers(1, 30)))  # any order, overlapping
    return [[int(a), int(min(n, a + rng.integers(0, max(2, n // 4))))] for a in starts]


def check(file, name, array=None, n_selections=6):
    """Record what h5py reads."""
    with h5py.File(file) as f:
        d = f[name]
        array = d[...] if array is None else array
        shape = d.shape
    a = np.asarray(array)
    digests.setdefault(file, {})[name] = [list(a.shape), a.dtype.str, digest(a)]
    if not shape or a.size * a.itemsize > 120_000_000:
        return
    for _ in range(n_selections):
        rows = rows_of(shape[0])
        index = np.concatenate([np.arange(x, y) for x, y in rows]).astype(int)
        part, inner = a[index], []
        for axis, n in enumerate(shape[1:], 1):
            manner = rng.integers(4)
            if manner == 0 or n == 0:
                inner.append(None)
            elif manner == 1:
                lo, hi = sorted(int(x) for x in rng.integers(0, n + 1, 2))
                inner.append([lo, hi])
                part = np.take(part, np.arange(lo, hi), axis)
            elif manner == 2:
                items = [int(x) for x in rng.integers(0, n, min(n, 6))]
                inner.append({"list": items})
                part = np.take(part, items, axis)
            else:
                items = [int(x) for x in np.sort(rng.choice(n, int(rng.integers(1, min(n, 6) + 1)), replace=False))]
                inner.append({"list": items})
                part = np.take(part, items, axis)
        if part.size * part.itemsize < 60_000_000:
            selections.append(dict(file=file, object=name, rows=rows, inner=inner, shape=list(part.shape), digest=digest(part)))


def raw(group, name, file_type, shape, data, setter, maxshape=None, part=None):
    """A dataset made with a creation property list of our own; written whole or in part."""
    dcpl = h5p.create(h5p.DATASET_CREATE)
    setter(dcpl)
    d = h5py.Dataset(h5d.create(group.id, name.encode(), file_type, h5s.create_simple(shape, maxshape or shape), dcpl))
    if data is not None:
        if part is None:
            d[...] = data
        else:
            d[part] = data[part]


def numbers(*shape, dtype="f8"):
    a = rng.integers(0, 1 << 20, shape)
    return (a / 64).astype(dtype) if np.dtype(dtype).kind == "f" else a.astype(dtype)


# Chunk indexes, old and new. -----------------------------------------------------------------------------------------------
names = []
line, plane, cube = numbers(60_011), numbers(4_003, 7, dtype="f4"), numbers(23, 17, 11, 5, dtype="i4")
many = numbers(150_001, dtype="i2")
for file, libver in (("index_old.h5", "earliest"), ("index_new.h5", "latest")):
    with h5py.File(file, "w", libver=libver) as f:
        for name, data, kw in (
            ("btree1_or_fixed", line, dict(chunks=(500,))),
            ("small_chunks", line, dict(chunks=(7,))),
            ("small_chunks_gzip", line[:20_000], dict(chunks=(6,), **GZ)),
            ("fixed_2d_gzip", plane, dict(chunks=(30, 2), **GZ)),
            ("fixed_2d_plain", plane, dict(chunks=(30, 2))),
            ("fixed_room_to_grow", plane, dict(chunks=(30, 2), maxshape=(9_000, 20))),
            ("fixed_room_to_grow_gzip", plane, dict(chunks=(30, 2), maxshape=(9_000, 20), fletcher32=True, **GZ)),
            ("extensible", line, dict(chunks=(500,), maxshape=(None,))),
            ("extensible_gzip", line, dict(chunks=(500,), maxshape=(None,), fletcher32=True, **GZ)),
            ("extensible_2d", plane, dict(chunks=(30, 2), maxshape=(None, 9))),
            ("extensible_other_axis", plane, dict(chunks=(30, 2), maxshape=(5_000, None))),
            ("extensible_other_axis_gzip", plane, dict(chunks=(30, 2), maxshape=(5_000, None), **GZ)),
            ("btree2", plane, dict(chunks=(3, 2), maxshape=(None, None))),
            ("btree2_gzip", plane, dict(chunks=(5, 2), maxshape=(None, None), **GZ)),
            ("cube", cube, dict(chunks=(7, 8, 4, 2), fletcher32=True, **GZ)),
            ("cube_plain", cube, dict(chunks=(7, 8, 4, 2))),
            ("cube_btree2", cube, dict(chunks=(3, 8, 4, 5), maxshape=(None, None, 30, None))),
            ("chunk_beyond_extent", plane[:10], dict(chunks=(30, 9), maxshape=(100, 20))),
            ("one_chunk", plane, dict(chunks=plane.shape)),
            ("one_chunk_gzip", plane, dict(chunks=plane.shape, fletcher32=True, **GZ)),
            ("contiguous", plane, {}),
            ("contiguous_4d", cube, {}),
            ("big_endian", plane.astype(">f4"), {}),
            ("big_endian_chunks", cube.astype(">i4"), dict(chunks=(7, 8, 4, 2))),
            ("big_endian_gzip", cube.astype(">i4"), dict(chunks=(7, 8, 4, 2), **GZ)),
            ("empty", np.zeros((0, 4)), dict(chunks=(5, 4), maxshape=(None, 4))),
            ("empty_inner", np.zeros((4, 0)), {}),
            ("scalar", np.float64(2.5), {}),
        ):
            f.create_dataset(name, data=data, **kw)
            names.append((file, name))
        # Partly written: whole pages and blocks of the indexes are not there.
        for name, kw in (
            ("sparse_fixed", dict(chunks=(5,), fillvalue=-3)),
            ("sparse_fixed_gzip", dict(chunks=(5,), fillvalue=-3, **GZ)),
            ("sparse_extensible", dict(chunks=(5,), maxshape=(None,), fillvalue=7)),
            ("sparse_never_written", dict(chunks=(5,), maxshape=(None,), fillvalue=7)),
        ):
            d = f.create_dataset(name, shape=(60_011,), dtype="i4", **kw)
            if "never" not in name:
                for start in (3, 5_000, 30_000, 59_990):
                    d[start:start + 21] = np.arange(21)
            names.append((file, name))
        d = f.create_dataset("sparse_btree2", shape=(900, 900), dtype="f4", chunks=(10, 10), maxshape=(None, None), fillvalue=1.5)
        d[100:130, 500:777] = 4
        names.append((file, "sparse_btree2"))
        d = f.create_dataset("shrunk", data=plane, chunks=(30, 2), maxshape=(None, None))
        d.resize((1_000, 5))
        names.append((file, "shrunk"))
        d = f.create_dataset("grown", data=line[:1_000], chunks=(30,), maxshape=(None,), fillvalue=9)
        d.resize((5_000,))
        names.append((file, "grown"))
        if libver == "latest":
            # Data blocks of an extensible array have pages from its 131,057th element on.
            f.create_dataset("extensible_pages", data=many, chunks=(1,), maxshape=(None,))
            names.append((file, "extensible_pages"))

with h5py.File("layouts.h5", "w", libver="latest") as f:
    def early(p, chunk):
        p.set_chunk(chunk)
        p.set_alloc_time(h5d.ALLOC_TIME_EARLY)
    raw(f, "implicit", h5t.IEEE_F32LE, plane.shape, plane, lambda p: early(p, (30, 2)))
    raw(f, "implicit_room_to_grow", h5t.IEEE_F32LE, plane.shape, plane, lambda p: early(p, (30, 2)), (5_000, 12))

    def unfiltered_edges(p):
        p.set_chunk((30, 2))
        p.set_shuffle()
        p.set_deflate(1)
        assert lib.H5Pset_chunk_opts(p.id, 2) >= 0
    raw(f, "edges_unfiltered", h5t.IEEE_F32LE, plane.shape, plane, unfiltered_edges)
    raw(f, "edges_unfiltered_extensible", h5t.IEEE_F32LE, plane.shape, plane, unfiltered_edges, (U, 7))
    raw(f, "compact", h5t.IEEE_F32LE, (50, 7), plane[:50], lambda p: p.set_layout(h5d.COMPACT))
    raw(f, "compact_big_endian", h5t.IEEE_F32BE, (50, 7), plane[:50], lambda p: p.set_layout(h5d.COMPACT))
    for when, name in ((h5d.FILL_TIME_NEVER, "never"), (h5d.FILL_TIME_IFSET, "ifset"), (h5d.FILL_TIME_ALLOC, "alloc")):
        def fill(p, chunk=None):
            p.set_fill_value(np.array(7.25))
            p.set_fill_time(when)
            if chunk:
                p.set_chunk(chunk)
        raw(f, f"fill_{name}", h5t.IEEE_F64BE, (100, 3), None, fill)
        raw(f, f"fill_{name}_chunked", h5t.IEEE_F64BE, (100, 3), np.ones((100, 3)), lambda p: fill(p, (9, 2)), part=np.s_[40:60])
        names += [("layouts.h5", f"fill_{name}"), ("layouts.h5", f"fill_{name}_chunked")]
    record = np.dtype([("a", "<i4"), ("b", ">f8"), ("c", "S3")])
    d = f.create_dataset("fill_record", shape=(100,), dtype=record, chunks=(9,), fillvalue=np.array((1, 2.5, b"xy"), record))
    d[20:40] = np.array((5, 6.5, b"z"), record)
    # Every second chunk skips the filters that it may skip, as a writer does whose filter failed.
    d = f.create_dataset("masked", shape=(1_000, 3), dtype="f8", chunks=(100, 3), **GZ)
    d[...] = numbers(1_000, 3)
    for row in range(0, 1_000, 200):
        d.id.write_direct_chunk((row, 0), numbers(100, 3).tobytes(), filter_mask=3)
    for name, padding in (("nul_terminated", h5t.STR_NULLTERM), ("nul_padded", h5t.STR_NULLPAD), ("space_padded", h5t.STR_SPACEPAD)):
        t = h5t.C_S1.copy()
        t.set_size(6)
        t.set_strpad(padding)
        d = h5d.create(f.id, name.encode(), t, h5s.create_simple((4,)))
        d.write(h5s.ALL, h5s.ALL, np.frombuffer(b"ab\0cd\0" b"abcdef" b"ab    " b"  a \0 ", "S6"), t)
    names += [("layouts.h5", n) for n in (
        "implicit", "implicit_room_to_grow", "edges_unfiltered", "edges_unfiltered_extensible", "compact", "compact_big_endian",
        "masked", "nul_terminated", "nul_padded", "space_padded")]

# Rows that are wide, bands of chunks that are large.
with h5py.File("wide.h5", "w") as f:
    wide = np.repeat(numbers(5, 150_000), 8, 1)
    tall = np.repeat(numbers(500, 1_100), 8, 1)
    f.create_dataset("wide_gzip", data=wide, chunks=(2, 70_000), **GZ)
    f.create_dataset("wide_plain", data=wide, chunks=(2, 70_000))
    f.create_dataset("wide_contiguous", data=wide)
    f.create_dataset("large_band_gzip", data=tall, chunks=(500, 60), **GZ)
    f.create_dataset("deep", data=np.repeat(numbers(2, 3, 40_000), 20, 2), chunks=(2, 2, 50_000), **GZ)
    names += [("wide.h5", n) for n in ("wide_gzip", "wide_plain", "wide_contiguous", "large_band_gzip", "deep")]

for file, name in names:
    check(file, name, n_selections=3 if file == "wide.h5" else 6)
with h5py.File("layouts.h5") as f:  # h5py's compound, native, with the file's offsets
    a = f["fill_record"][...]
    digests["layouts.h5"]["fill_record"] = [[100], "V15", digest(a.astype([("a", "<i4"), ("b", "<f8"), ("c", "S3")]))]

# Virtual datasets. ----------------------------------------------------------------------------------------------------------
def hyperslab(dims, start, count, stride=None, block=None, maxdims=None):
    s = h5s.create_simple(dims, maxdims or dims)
    s.select_hyperslab(start, count, stride, block)
    return s


def whole(*dims):
    return h5s.create_simple(dims)


def union(dims, *boxes):
    s = h5s.create_simple(dims)
    s.select_none()
    for start, count in boxes:
        s.select_hyperslab(start, count, op=h5s.SELECT_OR)
    return s


def virtual(f, name, dtype, dims, mappings, fill=-1, maxdims=None):
    dcpl = h5p.create(h5p.DATASET_CREATE)
    dcpl.set_fill_value(np.array(fill, dtype))
    for selected, file, dataset, source in mappings:
        dcpl.set_virtual(selected, file.encode(), dataset.encode(), source)
    h5d.create(f.id, name.encode(), h5t.py_create(np.dtype(dtype)), h5s.create_simple(dims, maxdims or dims), dcpl)


p = numbers(1_000, 3)
for i in range(4):
    with h5py.File(f"part{i}.h5", "w") as f:
        kw = [dict(chunks=(100, 3), **GZ), {}, dict(chunks=(70, 2)), dict(chunks=(64, 3), fletcher32=True)][i]
        g = f.create_group("G")
        g.create_dataset("x", data=p[i * 250:(i + 1) * 250], **kw)
        g.create_dataset("flat", data=p[i * 250:(i + 1) * 250].ravel())
        g.create_dataset("f4", data=p[i * 250:(i + 1) * 250].astype("f4"), **kw)
        for t in ("i1", "u1", "i2", ">i4", "u4", "i8", "u8", "f2", ">f8"):
            a = rng.integers(-(1 << 60), 1 << 60, 60) >> rng.integers(0, 60, 60)
            with np.errstate(over="ignore"):
                g.create_dataset(t.replace(">", "be_"), data=a.astype(t) if t != "f2" else rng.normal(0, 1e3, 60).astype("f2"))
        big = rng.normal(0, 1, 60) * 10.0 ** rng.integers(-50, 50, 60)
        big[:6] = [np.inf, -np.inf, 3.4028235e38, 3.40282357e38, -3.4028236e38, 1e-46]
        g.create_dataset("f8_wide", data=big)
with h5py.File("growing0.h5", "w") as f:
    f.create_dataset("x", data=np.arange(80.0), maxshape=(None,), chunks=(9,))
    f.create_dataset("y", data=np.arange(60.0).reshape(3, 20), maxshape=(3, None), chunks=(3, 7))
with h5py.File("growing1.h5", "w") as f:
    f.create_dataset("x", data=np.arange(55.0) + 1000, maxshape=(None,), chunks=(9,))
for i in range(3):
    with h5py.File(f"block_{i}%.h5", "w") as f:
        f.create_dataset(f"x{i}", data=np.arange(6.0) + 10 * i)
vds = []
for file, libver in (("virtual.h5", "latest"), ("virtual_v110.h5", ("v110", "v110"))):
    with h5py.File(file, "w", libver=libver) as f:
        N = 1_000
        rows = lambda i, n=250: hyperslab((N, 3), (i * n, 0), (n, 3))
        f.create_dataset("own/x", data=p[:250] * 2)
        for name, mappings, dims in (
            ("rows", [(rows(i), f"part{i}.h5", "G/x", whole(250, 3)) for i in range(4)], (N, 3)),
            ("rows_from_slabs", [(hyperslab((N, 3), (i * 250, 0), (100, 3)), f"part{i}.h5", "/G/x", hyperslab((250, 3), (50, 0), (100, 3))) for i in range(4)], (N, 3)),
            ("rows_missing", [(rows(i), f"part{i + 2}.h5", "G/x", whole(250, 3)) for i in range(4)], (N, 3)),
            ("dataset_missing", [(rows(i), f"part{i}.h5", "G/x" if i % 2 else "G/none", whole(250, 3)) for i in range(4)], (N, 3)),
            ("rows_f4", [(rows(i), f"part{i}.h5", "G/f4" if i % 2 else "G/x", whole(250, 3)) for i in range(4)], (N, 3)),
            ("rows_flat", [(rows(i), f"part{i}.h5", "G/flat" if i == 2 else "G/x", whole(750) if i == 2 else whole(250, 3)) for i in range(4)], (N, 3)),
            ("same_file", [(rows(0), ".", "own/x", whole(250, 3)), (rows(3), "part3.h5", "G/x", whole(250, 3))], (N, 3)),
            ("none", [(rows(0), "part0.h5", "G/x", whole(250, 3))], (N, 3)),
            ("interleaved", [(hyperslab((N, 3), (i, 0), (250, 3), (4, 1)), f"part{i}.h5", "G/x", whole(250, 3)) for i in range(4)], (N, 3)),
            ("interleaved_blocks", [(hyperslab((N, 3), (5 * i, 0), (50, 1), (20, 1), (5, 3)), f"part{i}.h5", "G/x", whole(250, 3)) for i in range(4)], (N, 3)),
            ("columns", [(hyperslab((250, 12), (0, i), (250, 3), (1, 4)), f"part{i}.h5", "G/x", whole(250, 3)) for i in range(4)], (250, 12)),
            ("stacked", [(hyperslab((4, 250, 3), (i, 0, 0), (1, 250, 3)), f"part{i}.h5", "G/x", whole(250, 3)) for i in range(4)], (4, 250, 3)),
            ("strided_source", [(hyperslab((500, 3), (i * 125, 0), (125, 3)), f"part{i}.h5", "G/x", hyperslab((250, 3), (i % 2, 0), (125, 3), (2, 1))) for i in range(4)], (500, 3)),
            # Where parts overlap, libhdf5 2.0 may leave what no part covers as it was: here is nothing such.
            ("overlapping", [(hyperslab((700, 3), (i * 150, 0), (250, 3)), f"part{i}.h5", "G/x", whole(250, 3)) for i in range(4)], (700, 3)),
            ("irregular", [(union((N, 3), ((10, 0), (20, 2)), ((25, 1), (30, 2)), ((500, 0), (50, 3))), "part0.h5", "G/x",
                            union((250, 3), ((0, 1), (50, 1)), ((40, 0), (20, 1)), ((100, 0), (58, 3)), ((170, 2), (1, 1)))),
                           (union((N, 3), ((700, 0), (1, 3)), ((705, 1), (2, 1))), "part1.h5", "G/flat", hyperslab((750,), (3,), (5,), (7,)))], (N, 3)),
        ):
            try:
                virtual(f, name, "f8", dims, mappings)
            except (ValueError, RuntimeError) as error:
                if "number" not in str(error):
                    raise
                n = [(m[0].get_select_npoints(), m[3].get_select_npoints()) for m in mappings]
                sys.exit(f"{name}: {error} {n}")
            vds.append((file, name))
        virtual(f, "over_virtual", "f8", (N, 3), [(rows(0), ".", "interleaved", hyperslab((N, 3), (3, 0), (250, 3), (3, 1))),
                                                (rows(2), ".", "rows", hyperslab((N, 3), (200, 0), (250, 3)))])
        vds.append((file, "over_virtual"))
        for source in ("i1", "u1", "i2", "be_i4", "u4", "i8", "u8", "f2", "be_f8", "f4", "f8_wide"):
            for target in ("i1", "u2", "i4", "u4", "i8", "u8", "f4", "f8", ">f8"):
                if "f" in source and "f" not in target:
                    continue  # what the C compiler does
                if (source, target) in (("be_i4", "u4"), ("be_f8", "f4")):
                    continue  # not by hardware, and otherwise than it
                name = f"cast_{source}_{target.replace('>', 'be_')}"
                n = 250 if source == "f4" else 60
                space = hyperslab((n,), (0,), (60,)) if n == 60 else hyperslab((250, 3), (0, 1), (60, 1))
                virtual(f, name, target, (70,), [(hyperslab((70,), (5,), (60,)), "part1.h5", f"G/{source}", space)], fill=1)
                vds.append((file, name))
        slab = lambda start, stride, block, m=U: hyperslab((1,), (start,), (m,), (stride,), (block,), (U,))
        virtual(f, "unlimited", "f8", (1,), [(slab(0, 2, 1), "growing0.h5", "x", slab(0, 1, 1)), (slab(1, 2, 1), "growing1.h5", "x", slab(0, 1, 1))], maxdims=(U,))
        virtual(f, "unlimited_blocks", "f8", (1,), [(slab(0, 10, 4), "growing0.h5", "x", slab(2, 6, 4)), (slab(5, 10, 3), "growing1.h5", "x", slab(1, 3, 3))], maxdims=(U,))
        virtual(f, "unlimited_missing", "f8", (201,), [(slab(0, 2, 1), "growing7.h5", "x", slab(0, 1, 1)), (slab(1, 2, 1), "growing1.h5", "x", slab(0, 1, 1)),
                                                   (slab(180, 30, 21, 1), "growing0.h5", "x", hyperslab((80,), (0,), (21,)))], maxdims=(U,))
        second = hyperslab((3, 1), (0, 0), (1, U), (3, 1), (3, 1), (3, U))
        virtual(f, "unlimited_second", "f8", (3, 1), [(second, "growing0.h5", "y", second)], maxdims=(3, U))
        virtual(f, "numbered", "f8", (1,), [(slab(2, 8, 6), "block_%b%%.h5", "x%b", whole(6))], maxdims=(U,))
        vds += [(file, n) for n in ("unlimited", "unlimited_blocks", "unlimited_missing", "unlimited_second", "numbered")]
for file, name in vds:
    check(file, name, n_selections=2 if name.startswith("cast") else 8)

# Elements of variable length. ------------------------------------------------------------------------------------------------
with h5py.File("variable.h5", "w") as f:
    words = ["", "a", "wörd", "x" * 5_000] * 50
    f.create_dataset("strings", data=words, dtype=h5py.string_dtype())
    f.create_dataset("strings_chunked", data=words, dtype=h5py.string_dtype(), chunks=(7,), **GZ)
    d = f.create_dataset("strings_sparse", shape=(40,), dtype=h5py.string_dtype(), chunks=(7,))
    d[10:12] = ["p", "q"]
    sequences = f.create_dataset("sequences", (30,), dtype=h5py.vlen_dtype("<i4"), chunks=(4,))
    for i in range(0, 30, 2):
        sequences[i] = rng.integers(-99, 99, i)
with h5py.File("variable.h5") as f:
    for name in f:
        elements = f[name][...]
        variable[name] = [list(e) if isinstance(e, bytes) else list(np.asarray(e).astype("<i4").tobytes()) for e in elements]

json.dump(digests, open("DIGESTS.json", "w"))
json.dump(selections, open("SELECTIONS.json", "w"))
json.dump(variable, open("VARIABLE.json", "w"))
print(sum(map(len, digests.values())), "datasets,", len(selections), "selections")
