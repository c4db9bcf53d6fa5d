"""One writer for each kind of HDF5 file that docs/supported-hdf5.md lists, by the name it has there.

Each writes one file with h5py. What is to be read afterwards is the dataset /x, or the object at `OBJECTS[kind]`.
"""

import ctypes
import glob
import os

import h5py
import hdf5plugin
import numpy as np
from h5py import h5d, h5f, h5p, h5s, h5t, h5z

KINDS = {}
OBJECTS = {}

rng = np.random.default_rng(20)
N = 3000
positions = np.sort(rng.random((N, 3)) * 100, 0)
velocities = rng.normal(0, 100, (N, 3)).astype("f4")
ids = rng.integers(0, 1 << 40, N).astype("u8")
gzip = {"compression": "gzip", "shuffle": True, "fletcher32": True}

# What h5py does not wrap; the very library that it loads.
library = ctypes.CDLL(glob.glob(os.path.join(os.path.dirname(h5py.__file__), "..", "h5py.libs", "libhdf5-*"))[0])
for function in ("H5Pset_istore_k", "H5Pset_shared_mesg_nindexes", "H5Pset_shared_mesg_index", "H5Pset_virtual_printf_gap"):
    getattr(library, function).restype = ctypes.c_int
library.H5Pset_istore_k.argtypes = [ctypes.c_int64, ctypes.c_uint]
library.H5Pset_shared_mesg_nindexes.argtypes = [ctypes.c_int64, ctypes.c_uint]
library.H5Pset_shared_mesg_index.argtypes = [ctypes.c_int64, ctypes.c_uint, ctypes.c_uint, ctypes.c_uint]


def kind(name, object_path="/x", libver="latest", **options):
    """Registers a writer: it is given an open file, of that generation."""

    def register(write):
        def make(path):
            with h5py.File(path, "w", libver=libver, **options) as f:
                write(f)

        KINDS[name], OBJECTS[name] = make, object_path
        return write

    return register


def file_kind(name, object_path="/x"):
    """Registers a writer that makes the file itself."""

    def register(make):
        KINDS[name], OBJECTS[name] = make, object_path
        return make

    return register


def dataset(name, libver="latest", data=positions, **options):
    """Registers a dataset that h5py's create_dataset writes."""
    kind(name, libver=libver)(lambda f: f.create_dataset("x", data=data, **options))


def low_level(f, file_type, data, *, layout=None, set_filters=None, chunk=None, memory_type=None):
    properties = h5p.create(h5p.DATASET_CREATE)
    if layout is not None:
        properties.set_layout(layout)
    if chunk:
        properties.set_chunk(chunk)
    if set_filters:
        set_filters(properties)
    x = h5d.create(f.id, b"x", file_type, h5s.create_simple(data.shape), properties)
    if data.size:
        x.write(h5s.ALL, h5s.ALL, np.ascontiguousarray(data), memory_type)
    return x


# ------------------------------------------------------------------------------------------------------------- files


def version_1_file(path):
    creation = h5p.create(h5p.FILE_CREATE)
    assert library.H5Pset_istore_k(creation.id, 64) >= 0
    access = h5p.create(h5p.FILE_ACCESS)
    access.set_libver_bounds(h5f.LIBVER_EARLIEST, h5f.LIBVER_V18)
    with h5py.File(h5f.create(os.fsencode(path), h5f.ACC_TRUNC, creation, access)) as f:
        f.create_dataset("x", data=positions, chunks=(500, 3), **gzip)


kind("superblock 0", libver=("earliest", "v108"))(lambda f: f.create_dataset("x", data=positions))
file_kind("superblock 1")(version_1_file)
kind("superblock 2", libver=("v108", "v108"))(lambda f: f.create_dataset("x", data=positions))
kind("superblock 3", libver="latest")(lambda f: f.create_dataset("x", data=positions))
kind("user block", userblock_size=1024)(lambda f: f.create_dataset("x", data=positions))
kind("paged file space", fs_strategy="page", fs_page_size=4096)(lambda f: f.create_dataset("x", data=positions))


@kind("object header 1 with continuations", libver=("earliest", "v108"))
def _(f):
    x = f.create_dataset("x", data=positions)
    for i in range(40):
        x.attrs[f"attribute {i}"] = np.arange(i)


@kind("object header 2 with continuations", libver=("v108", "v108"))
def _(f):
    x = f.create_dataset("x", data=positions)
    for i in range(7):
        x.attrs[f"attribute {i}"] = np.arange(40)


# ------------------------------------------------------------------------------------------------- groups and links


@kind("group of old style", "/", libver=("earliest", "v108"))
def _(f):
    for i in range(300):
        f.create_group(f"group {i}")


@kind("group with compact links", "/")
def _(f):
    for i in range(5):
        f.create_group(f"group {i}")


@kind("group with dense links", "/")
def _(f):
    for i in range(600):
        f.create_group(f"group {i}")


kind("group with creation order", "/", track_order=True)(lambda f: [f.create_group(f"group {9 - i}") for i in range(10)])


@kind("hard and soft link")
def _(f):
    f["somewhere/y"] = positions
    f["hard"], f["soft"], f["dangling"] = f["somewhere"], h5py.SoftLink("/hard/y"), h5py.SoftLink("/nowhere")
    f["x"] = h5py.SoftLink("soft")


@file_kind("external link")
def _(path):
    other = path.with_name(f"{path.stem}_other.h5")
    with h5py.File(other, "w") as f:
        f["y"] = positions
    with h5py.File(path, "w") as f:
        f["x"] = h5py.ExternalLink(other.name, "/y")


# --------------------------------------------------------------------------------------------------------- attributes


@kind("compact attributes", "/")
def _(f):
    for i in range(6):
        f.attrs[f"attribute {i}"] = np.arange(i + 1) * 1.5


@kind("dense attributes", "/")
def _(f):
    for i in range(400):
        f.attrs[f"attribute {i}"] = np.arange(i % 7 + 1) * 1.5


@kind("large attribute", "/")
def _(f):
    f.attrs["large"] = np.arange(20000.0)


@file_kind("shared messages")
def _(path):
    creation = h5p.create(h5p.FILE_CREATE)
    assert library.H5Pset_shared_mesg_nindexes(creation.id, 1) >= 0
    every_kind, smallest_bytes = 0x1F, 8
    assert library.H5Pset_shared_mesg_index(creation.id, 0, every_kind, smallest_bytes) >= 0
    access = h5p.create(h5p.FILE_ACCESS)
    access.set_libver_bounds(h5f.LIBVER_V18, h5f.LIBVER_LATEST)
    with h5py.File(h5f.create(os.fsencode(path), h5f.ACC_TRUNC, creation, access)) as f:
        for name in ("w", "x"):
            d = f.create_dataset(name, data=positions, chunks=(500, 3), fillvalue=2.5, **gzip)
            d.attrs["text"], d.attrs["values"] = "the same in both", np.arange(30)


@kind("committed type")
def _(f):
    f["type"] = np.dtype("f8")
    f.create_dataset("x", data=positions, dtype=f["type"])


# ------------------------------------------------------------------------------------------------------------ layouts

kind("compact")(lambda f: low_level(f, h5t.IEEE_F64LE, positions[:50], layout=h5d.COMPACT))
dataset("contiguous")
dataset("zero-size", data=np.zeros((0, 3)))
dataset("chunked: B-tree version 1", libver=("earliest", "v108"), chunks=(7, 2), **gzip)
dataset("chunked: single chunk", chunks=(N, 3), **gzip)
dataset("chunked: fixed array", chunks=(500, 3), **gzip)
dataset("chunked: fixed array, paged", chunks=(1, 2))
dataset("chunked: extensible array", chunks=(3, 3), maxshape=(None, 3), **gzip)
dataset("chunked: B-tree version 2", chunks=(7, 2), maxshape=(None, None), **gzip)
kind("chunked: implicit")(
    lambda f: low_level(f, h5t.IEEE_F64LE, positions, chunk=(500, 2), set_filters=lambda p: p.set_alloc_time(h5d.ALLOC_TIME_EARLY))
)
dataset("chunked: partial edge chunks", chunks=(999, 2), **gzip)


@kind("chunked: four dimensions")
def _(f):
    f.create_dataset("x", data=positions.reshape(10, 20, 15, 3), chunks=(3, 7, 4, 2), **gzip)


@kind("chunked: chunks that were never written")
def _(f):
    f.create_dataset("x", shape=(N,), dtype="f4", chunks=(100,), fillvalue=7.5, **gzip)[1234:1567] = 1.25


@kind("chunked: filter mask")
def _(f):
    x = f.create_dataset("x", data=positions, chunks=(500, 3), shuffle=True, compression="gzip")
    x.id.write_direct_chunk((500, 0), positions[500:1000].tobytes(), filter_mask=0b11)


@kind("never written, with fill value")
def _(f):
    f.create_dataset("x", shape=(N, 2), dtype="i4", fillvalue=-7)


@kind("never written, without fill value")
def _(f):
    f.create_dataset("x", shape=(N, 2), dtype="i4")


def parts(path, shapes):
    """Writes /y into a file for each part of `positions`; gives their names."""
    names = []
    for i, rows in enumerate(shapes):
        part = path.with_name(f"{path.stem}_part{i}.h5")
        with h5py.File(part, "w") as f:
            f.create_dataset("y", data=positions[rows], chunks=(500, 3) if i % 2 else None, compression="gzip" if i % 2 else None)
        names.append(part.name)
    return names


@file_kind("virtual: one block from each file")
def _(path):
    names = parts(path, [slice(0, 1000), slice(1000, N)])
    layout = h5py.VirtualLayout(shape=(N, 3), dtype="f8")
    layout[:1000], layout[1000:] = h5py.VirtualSource(names[0], "y", shape=(1000, 3)), h5py.VirtualSource(names[1], "y", shape=(N - 1000, 3))
    with h5py.File(path, "w", libver="latest") as f:
        f.create_virtual_dataset("x", layout)


@file_kind("virtual: strided selections")
def _(path):
    names = parts(path, [slice(0, 1000), slice(1000, 2000)])
    layout = h5py.VirtualLayout(shape=(2000, 3), dtype="f8")
    layout[::2], layout[1::2] = (h5py.VirtualSource(name, "y", shape=(1000, 3)) for name in names)
    with h5py.File(path, "w", libver="latest") as f:
        f.create_virtual_dataset("x", layout, fillvalue=-1)


@file_kind("virtual: part of a source")
def _(path):
    names = parts(path, [slice(0, 1000)])
    layout = h5py.VirtualLayout(shape=(400, 2), dtype="f4")
    layout[:] = h5py.VirtualSource(names[0], "y", shape=(1000, 3))[100:900:2, 1:]
    with h5py.File(path, "w", libver="latest") as f:
        f.create_virtual_dataset("x", layout)


@file_kind("virtual: source that is missing")
def _(path):
    names = parts(path, [slice(0, 1000)])
    layout = h5py.VirtualLayout(shape=(2000, 3), dtype="f8")
    layout[:1000], layout[1000:] = (h5py.VirtualSource(name, "y", shape=(1000, 3)) for name in (names[0], "is not there.h5"))
    with h5py.File(path, "w", libver="latest") as f:
        f.create_virtual_dataset("x", layout, fillvalue=-1)


@kind("virtual: source in the same file")
def _(f):
    f["y"] = positions
    layout = h5py.VirtualLayout(shape=(N, 3), dtype="f8")
    layout[:] = h5py.VirtualSource(".", "y", shape=(N, 3))
    f.create_virtual_dataset("x", layout)


@file_kind("virtual: unlimited")
def _(path):
    names = parts(path, [slice(0, 1000)])
    layout = h5py.VirtualLayout(shape=(1000, 3), dtype="f8", maxshape=(None, 3))
    with h5py.File(path.with_name(names[0]), "w", libver="latest") as f:
        f.create_dataset("y", data=positions[:1000], maxshape=(None, 3), chunks=(100, 3))
    source = h5py.VirtualSource(names[0], "y", shape=(1000, 3), maxshape=(None, 3))
    layout[: h5s.UNLIMITED, :] = source[: h5s.UNLIMITED, :]
    with h5py.File(path, "w", libver="latest") as f:
        f.create_virtual_dataset("x", layout)


# ------------------------------------------------------------------------------------------------------------ filters

dataset("deflate", chunks=(500, 3), compression="gzip")
dataset("shuffle", chunks=(500, 3), shuffle=True)
dataset("fletcher32", chunks=(500, 3), fletcher32=True)
dataset("lzf", chunks=(500, 3), compression="lzf", shuffle=True)
dataset("szip", chunks=(500, 3), compression="szip")
dataset("zstd", chunks=(500, 3), **hdf5plugin.Zstd())
dataset("lz4", chunks=(500, 3), **hdf5plugin.LZ4())
dataset("bitshuffle", chunks=(500, 3), **hdf5plugin.Bitshuffle())
dataset("blosc", chunks=(500, 3), **hdf5plugin.Blosc())
dataset("blosc2", chunks=(500, 3), **hdf5plugin.Blosc2())
dataset("bzip2", chunks=(500, 3), **hdf5plugin.BZip2())
dataset("zfp", chunks=(500, 3), **hdf5plugin.Zfp())
dataset("sz3", chunks=(500, 3), **hdf5plugin.SZ3(absolute=1e-4))


def nbit(properties):
    properties.set_filter(h5z.FILTER_NBIT)
    properties.set_deflate(4)


def scale_offset(kind_of_scale, digits):
    def set_filters(properties):
        properties.set_scaleoffset(kind_of_scale, digits)
        properties.set_shuffle()
        properties.set_deflate(4)
        properties.set_fletcher32()

    return set_filters


def narrow_integer(bits):
    t = h5t.NATIVE_INT64.copy()
    t.set_precision(bits)
    return t


def narrow_float(size_bytes, exponent_bits, mantissa_bits):
    t = (h5t.IEEE_F64LE if size_bytes == 8 else h5t.IEEE_F32LE).copy()
    t.set_fields(mantissa_bits + exponent_bits, mantissa_bits, exponent_bits, 0, mantissa_bits)
    t.set_offset(0)
    t.set_precision(mantissa_bits + exponent_bits + 1)
    t.set_size(size_bytes)
    t.set_ebias((1 << (exponent_bits - 1)) - 1)
    return t


small = (ids & 0x3FFFFFFF).astype("i8")
kind("nbit: integers")(lambda f: low_level(f, narrow_integer(36), small, chunk=(500,), set_filters=nbit))
kind("nbit: floats")(lambda f: low_level(f, narrow_float(4, 8, 9), velocities, chunk=(500, 3), set_filters=nbit))
kind("nbit: doubles")(lambda f: low_level(f, narrow_float(8, 11, 21), positions, chunk=(500, 3), set_filters=nbit))
kind("nbit: compounds")(
    lambda f: low_level(f, h5t.py_create(records.dtype), records, chunk=(1,), set_filters=nbit, memory_type=h5t.py_create(records.dtype))
)
kind("scale-offset: integers")(lambda f: low_level(f, h5t.STD_I64LE, small, chunk=(500,), set_filters=scale_offset(h5z.SO_INT, 0)))
kind("scale-offset: unsigned integers")(
    lambda f: low_level(f, h5t.STD_U16BE, small.astype("u2"), chunk=(500,), set_filters=scale_offset(h5z.SO_INT, 0), memory_type=h5t.NATIVE_UINT16)
)
kind("scale-offset: floats")(lambda f: low_level(f, h5t.IEEE_F32LE, velocities, chunk=(500, 3), set_filters=scale_offset(h5z.SO_FLOAT_DSCALE, 3)))
kind("scale-offset: doubles")(lambda f: low_level(f, h5t.IEEE_F64LE, positions, chunk=(500, 3), set_filters=scale_offset(h5z.SO_FLOAT_DSCALE, 5)))

# -------------------------------------------------------------------------------------------------------------- types

records = np.array([(1, 2.5, b"x", [1, 2]), (3, -4.5, b"yy", [3, 4])], dtype=[("a", "i4"), ("b", "f8"), ("c", "S4"), ("d", "i2", (2,))])

for code in ("i1", "u1", "<i2", ">i2", "<u2", ">u2", "<i4", ">i4", "<u4", ">u4", "<i8", ">i8", "<u8", ">u8"):
    limits = np.iinfo(code)
    dataset(f"integer {code}", data=np.array([limits.min, 0, 1, 100, limits.max], code))
for code in ("<f2", ">f2", "<f4", ">f4", "<f8", ">f8"):
    dataset(f"float {code}", data=np.array([0, -0.0, 1.5, -2.25, np.inf, -np.inf, np.nan, np.finfo(code).max, np.finfo(code).smallest_subnormal], code))
kind("float with unusual fields")(lambda f: low_level(f, narrow_float(4, 5, 10), velocities / 10))
kind("integer with unused bits")(lambda f: low_level(f, narrow_integer(40), small))
dataset("float of 80 bits", data=np.array([1.5, 2.5], np.longdouble))
dataset("bool", data=np.array([True, False, True]))
dataset("enum", data=np.array([0, 1, 1], "i1"), dtype=h5py.enum_dtype({"GAS": 0, "DM": 1}, basetype="i1"))
dataset("fixed string, NUL-padded", data=np.array([b"Gas", b"Stars", b""], "S8"))
dataset("fixed string, UTF-8", data=np.array(["gr\u00fcn".encode(), b"x"], h5py.string_dtype("utf-8", 8)))


@kind("fixed string, NUL-terminated")
def _(f):
    t = h5t.C_S1.copy()
    t.set_size(6)
    t.set_strpad(h5t.STR_NULLTERM)
    low_level(f, t, np.array([b"abcdef", b"abc"], "S6"), memory_type=t)


@kind("fixed string, space-padded")
def _(f):
    t = h5t.FORTRAN_S1.copy()
    t.set_size(6)
    low_level(f, t, np.array([b"abcdef", b"abc   "], "S6"), memory_type=t)


dataset("variable string", data=["Gas", "gr\u00fcn", "", "x" * 3000])
dataset("variable sequence", data=np.array([np.arange(3), np.arange(5), np.arange(0)], object), dtype=h5py.vlen_dtype("i4"))
dataset("compound", data=records)
dataset("compound with strings of variable length", data=np.array([("a", 1), ("bb", 2)], [("s", h5py.string_dtype()), ("n", "i4")]))


@kind("array type")
def _(f):
    element = h5t.array_create(h5t.IEEE_F32LE, (3,))
    h5d.create(f.id, b"x", element, h5s.create_simple((4,))).write(h5s.ALL, h5s.ALL, velocities[:4].copy(), element)


dataset("opaque", data=np.array([b"ab", b"cd"], "V2"))
dataset("complex as compound", data=np.array([1 + 2j, -3.5j]))
kind("complex")(lambda f: low_level(f, h5t.COMPLEX_IEEE_F64LE, np.array([1 + 2j, -3.5j])))
kind("bitfield")(lambda f: low_level(f, h5t.STD_B8LE, np.array([1, 255], "u1"), memory_type=h5t.STD_B8LE))
kind("time")(lambda f: low_level(f, h5t.UNIX_D32LE, np.zeros(0, "i4")))
kind("object reference")(lambda f: f.create_dataset("x", data=[f.create_group("g").ref], dtype=h5py.ref_dtype))


@kind("region reference")
def _(f):
    y = f.create_dataset("y", data=positions)
    f.create_dataset("x", data=[y.regionref[2:5]], dtype=h5py.regionref_dtype)


dataset("scalar", data=np.float64(3.5))
dataset("null dataspace", data=h5py.Empty("f4"))


@file_kind("external storage")
def _(path):
    raw = path.with_name(f"{path.stem}.bin")
    raw.write_bytes(positions.tobytes())
    with h5py.File(path, "w") as f:
        f.create_dataset("x", shape=positions.shape, dtype="f8", external=[(str(raw), 0, h5f.UNLIMITED)])
