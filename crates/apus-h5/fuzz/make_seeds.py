"""Writes the seed files of the fuzz targets: small HDF5 files over generations, layouts, filters and types.

usage: make_seeds.py          (needs h5py, numpy; writes into seeds/ beside this script, which is committed)
"""
import os
import struct

import h5py
import numpy as np
from h5py import h5d, h5p, h5s, h5t, h5z

here = os.path.dirname(os.path.abspath(__file__))
out = os.path.join(here, "seeds", "open_file")
os.makedirs(out, exist_ok=True)
os.chdir(out)
rng = np.random.default_rng(1)
x = (rng.random((12, 3)) * 10).astype("f4")
gzip = dict(compression="gzip", shuffle=True, fletcher32=True)


def low_level(f, name, file_type, data, set_filter):
    dcpl = h5p.create(h5p.DATASET_CREATE)
    dcpl.set_chunk((5,) + data.shape[1:])
    set_filter(dcpl)
    dcpl.set_shuffle()
    h5d.create(f.id, name, file_type, h5s.create_simple(data.shape), dcpl).write(h5s.ALL, h5s.ALL, data)


def layouts(f):
    f["contiguous"] = x
    dcpl = h5p.create(h5p.DATASET_CREATE)
    dcpl.set_layout(h5d.COMPACT)
    h5d.create(f.id, b"compact", h5t.IEEE_F32LE, h5s.create_simple((12, 3)), dcpl).write(h5s.ALL, h5s.ALL, x)
    f.create_dataset("chunked", data=x, chunks=(5, 2))
    f.create_dataset("sparse", shape=(40,), dtype="i2", chunks=(10,), fillvalue=7)[12:15] = 1


def indexes(f):
    f.create_dataset("fixed_array", data=x, chunks=(5, 3), **gzip)
    f.create_dataset("extensible", data=x, chunks=(5, 3), maxshape=(None, 3), **gzip)
    f.create_dataset("btree2", data=x, chunks=(5, 2), maxshape=(None, None), **gzip)
    f.create_dataset("single", data=x, chunks=(12, 3), **gzip)
    f.create_dataset("many", data=np.arange(150, dtype="i2"), chunks=(1,))


def filters(f):
    f.create_dataset("lzf", data=x, chunks=(5, 3), compression="lzf")
    t = h5t.NATIVE_INT64.copy()
    t.set_precision(36)
    low_level(f, b"nbit", t, np.arange(12, dtype="i8"), lambda p: p.set_filter(h5z.FILTER_NBIT))
    t = h5t.IEEE_F32LE.copy()
    t.set_fields(17, 9, 8, 0, 9)
    t.set_precision(18)
    low_level(f, b"narrow", t, x, lambda p: p.set_filter(h5z.FILTER_NBIT))
    low_level(f, b"dscale", h5t.IEEE_F32LE, x, lambda p: p.set_scaleoffset(h5z.SO_FLOAT_DSCALE, 2))
    low_level(f, b"integer_scale", h5t.STD_I32LE, np.arange(12, dtype="i4"), lambda p: p.set_scaleoffset(h5z.SO_INT, 0))


def types(f):
    f["fixed_string"] = np.array([b"Gas", b"DM"], "S8")
    f["variable_string"] = ["a", "bbb", ""]
    f.create_dataset("sequence", data=np.array([np.arange(2), np.arange(3)], dtype=object), dtype=h5py.vlen_dtype("i4"))
    f.create_dataset("enum", data=np.array([0, 1], "i1"), dtype=h5py.enum_dtype({"A": 0, "B": 1}, basetype="i1"))
    f["compound"] = np.array([(1, 2.5, b"x")], dtype=[("a", "i4"), ("b", ">f8", (2,)), ("c", "S4")])
    f["bool"], f["complex"], f["scalar"], f["big_endian"] = np.array([True]), np.array([1j]), 3.5, np.arange(3, dtype=">u2")
    f["null"] = h5py.Empty("f4")
    f["type"] = np.dtype("f8")
    f.create_dataset("opaque", data=np.array([b"ab"], "V2"))
    f.create_dataset("reference", data=[f["scalar"].ref], dtype=h5py.ref_dtype)


def attributes(f):
    for i in range(12):
        f.attrs[f"a{i}"] = np.arange(i, dtype="f4")
    f.attrs["text"], f.attrs["fixed"] = "wörld", np.bytes_(b"fixed")


def links(f):
    for i in range(20):
        f.create_group(f"group{i}")
    f["soft"], f["external"] = h5py.SoftLink("/group1"), h5py.ExternalLink("other", "/group2")
    f["loop"], f["hard"] = h5py.SoftLink("/loop"), f["group3"]


def virtual(f):
    f["a"], f["b"] = x[:6], x[6:]
    layout = h5py.VirtualLayout(shape=(12, 3), dtype="f4")
    layout[:6], layout[6:] = h5py.VirtualSource(".", "a", shape=(6, 3)), h5py.VirtualSource("other", "b", shape=(6, 3))
    f.create_virtual_dataset("virtual", layout)


for make in (layouts, indexes, filters, types, attributes, links, virtual):
    for libver in ("v110", "latest") if make is virtual else ("earliest", "v108", "latest"):
        with h5py.File(f"{make.__name__}_{libver}.h5", "w", libver=(libver, "latest"), userblock_size=512 if make is links else None) as f:
            make(f)


def chunk_seed(dataset):
    """The first chunk of a dataset in the form that decode_chunk reads: its pipeline, filter mask, decoded length and bytes."""
    dcpl = dataset.id.get_create_plist()
    stages = [dcpl.get_filter(i) for i in range(dcpl.get_nfilters())]
    seed = struct.pack("<B", len(stages))
    for number, _, parameters, _ in stages:
        seed += struct.pack(f"<HB{len(parameters)}I", number, len(parameters), *parameters)
    mask, raw = dataset.id.read_direct_chunk(dataset.id.get_chunk_info(0).chunk_offset)
    decoded_bytes = int(np.prod(dataset.chunks)) * dataset.dtype.itemsize
    return seed + struct.pack("<II", mask, decoded_bytes) + raw


files = sorted(os.listdir("."))
os.makedirs("../decode_chunk", exist_ok=True)
for name in files:
    with h5py.File(name) as f:
        for path, item in f.items() if name.endswith("_latest.h5") and not name.startswith("links") else ():
            if isinstance(item, h5py.Dataset) and item.chunks and item.id.get_num_chunks():
                with open(f"../decode_chunk/{path}", "wb") as seed:
                    seed.write(chunk_seed(item))
os.makedirs("../row_ranges", exist_ok=True)
with open("../row_ranges/some", "wb") as seed:
    seed.write(bytes([5, 9, 1, 3, 3, 4, 8, 20, 7, 7, 0, 1, 30, 40, 2, 200]))
print(len(files), "files")
