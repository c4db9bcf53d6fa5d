#!/usr/bin/env python3
"""Write HDF5 files that cover the forms of metadata: headers, links, attributes, types, extents, of every generation.

usage: make_metadata_files.py OUTDIR [links]

With "links": only chains.h5 and what it refers to.
"""
import ctypes
import glob
import os
import sys

import h5py
import numpy as np
from h5py import h5a, h5d, h5f, h5g, h5l, h5p, h5s, h5t

os.makedirs(sys.argv[1], exist_ok=True)
os.chdir(sys.argv[1])
BOUNDS = {"earliest": h5f.LIBVER_EARLIEST, "v108": h5f.LIBVER_V18, "v110": h5f.LIBVER_V110, "v112": h5f.LIBVER_V112, "latest": h5f.LIBVER_LATEST}
GENERATIONS = (("earliest", "v108"), ("v108", "v108"), ("v110", "v110"), ("v112", "v112"), ("latest", "latest"))
rng = np.random.default_rng(1)

# What h5py does not wrap is called in the library that it brings along.
lib = ctypes.CDLL(glob.glob(os.path.join(os.path.dirname(h5py.__file__), "..", "h5py.libs", "libhdf5-*"))[0])
HID = ctypes.c_int64


def call(name, *arguments):
    result = getattr(lib, name)(*arguments)
    assert result >= 0, name
    return result


def new_file(name, low="earliest", high="latest", **settings):
    fapl, fcpl = h5p.create(h5p.FILE_ACCESS), h5p.create(h5p.FILE_CREATE)
    fapl.set_libver_bounds(BOUNDS[low], BOUNDS[high])
    fapl.set_fclose_degree(h5f.CLOSE_STRONG)
    for function, arguments in settings.items():
        call(function, HID(fcpl.id), *arguments)
    return h5py.File(h5f.create(name.encode(), h5f.ACC_TRUNC, fcpl=fcpl, fapl=fapl))


def group(parent, name, **settings):
    gcpl = h5p.create(h5p.GROUP_CREATE)
    for function, arguments in settings.items():
        call(function, HID(gcpl.id), *arguments)
    return h5py.Group(h5g.create(parent.id, name.encode(), gcpl=gcpl))


def float_type(size, exponent, mantissa, *, big=False, bias=None, offset=0):
    t = {2: h5t.IEEE_F16LE, 4: h5t.IEEE_F32LE, 8: h5t.IEEE_F64LE}[2 if size < 4 else 4 if size < 8 else 8].copy()
    bits = exponent + mantissa + 1
    if size == 1:
        t.set_fields(bits - 1, mantissa, exponent, 0, mantissa)
        t.set_precision(bits)
        t.set_size(1)
    else:
        t.set_size(max(size, t.get_size()))
        t.set_precision(8 * t.get_size())
        t.set_fields(offset + bits - 1, offset + mantissa, exponent, offset, mantissa)
        t.set_offset(0)
        t.set_precision(offset + bits)
        t.set_size(size)
    t.set_ebias((1 << (exponent - 1)) - 1 if bias is None else bias)
    if big:
        t.set_order(h5t.ORDER_BE)
    return t


def string_type(size, padding, character_set=h5t.CSET_ASCII):
    t = h5t.C_S1.copy()
    t.set_size(size)
    t.set_strpad(padding)
    t.set_cset(character_set)
    return t


def odd_integer(base, offset, precision):
    t = base.copy()
    t.set_precision(precision)
    t.set_offset(offset)
    return t


def types():
    """Name, type and values (or None) of each kind of type; where values are None, the attribute gets none."""
    for code in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"):
        for order in "<>":
            dtype = np.dtype(order + code)
            values = rng.integers(0, 120, 5).astype(dtype) if code[0] != "f" else rng.normal(0, 100, 5).astype(dtype)
            if code[0] == "i":
                values = -values
            yield ("be_" if order == ">" else "le_") + code, h5t.py_create(dtype), values
    yield "longdouble", h5t.py_create(np.dtype("longdouble")), np.array([1.5, -2.25, 1 / 3], "longdouble")
    yield "bool", h5t.py_create(np.dtype(bool), logical=True), np.array([True, False, True])
    for name, parts in {"bfloat16": (2, 8, 7), "bfloat16_be": (2, 8, 7, True), "e4m3": (1, 4, 3), "e5m2": (1, 5, 2), "f24": (3, 8, 15), "fmantissa9": (4, 8, 9),
                        "halffloat": (4, 5, 10), "dmantissa21": (8, 11, 21), "wide_exponent": (2, 6, 9)}.items():
        big = len(parts) > 3
        yield name, float_type(*parts[:3], big=big), np.array([1.5, -2.0, 0.0, 0.25], "f8")
    yield "biased", float_type(4, 8, 20, bias=126), np.array([1.5, -2.0, 0.0, 0.25], "f8")
    yield "shifted_float", float_type(4, 8, 15, offset=4), np.array([1.5, -2.0, 0.0, 0.25], "f8")
    yield "nbit36", odd_integer(h5t.STD_I64LE, 0, 36), np.array([1, -5, 1 << 33], "i8")
    yield "nbit12_offset", odd_integer(h5t.STD_U16BE, 3, 12), np.array([1, 5, 4000], "u8")
    yield "signed12_offset", odd_integer(h5t.STD_I16LE, 3, 12), np.array([1, -5, 2000], "i8")
    for name, padding in {"nullterm": h5t.STR_NULLTERM, "nullpad": h5t.STR_NULLPAD, "spacepad": h5t.STR_SPACEPAD}.items():
        yield f"string_{name}", string_type(6, padding), np.array([b"ab", b"", b"abcdef"[: 5 if padding == h5t.STR_NULLTERM else 6]], "S6")
    yield "string_utf8", string_type(9, h5t.STR_NULLPAD, h5t.CSET_UTF8), np.array(["wörld".encode(), b"x"], "S9")
    yield "vstring", h5t.py_create(h5py.string_dtype("ascii"), logical=True), [b"a", b"", b"long" * 40]
    yield "vstring_utf8", h5t.py_create(h5py.string_dtype(), logical=True), ["ä", "", "Ж" * 500]
    yield "vlen_i4", h5t.py_create(h5py.vlen_dtype("<i4"), logical=True), [np.arange(3, dtype="<i4"), np.zeros(0, "<i4"), np.arange(700, dtype="<i4")]
    yield "vlen_be", h5t.vlen_create(h5t.STD_I16BE), None
    yield "vlen_compound", h5t.vlen_create(h5t.py_create(np.dtype([("a", "<i2"), ("b", "<f8")]))), None
    yield "vlen_vlen", h5t.vlen_create(h5t.vlen_create(h5t.STD_I16LE)), None
    yield "vlen_string", h5t.vlen_create(string_type(4, h5t.STR_NULLPAD)), None
    yield "enum", h5t.py_create(h5py.enum_dtype({"A": 0, "BB": -1, "CCCCCCCC": 7}, basetype="<i2"), logical=True), np.array([0, 7, -1], "<i2")
    yield "enum_be", h5t.py_create(h5py.enum_dtype({"A": 0, "B": 1000}, basetype=">u4"), logical=True), np.array([0, 1000], ">u4")
    inner = np.dtype([("x", "<f4"), ("y", ">i8")])
    nested = np.dtype([("a", "i1"), ("nested", inner), ("list", "<u2", (2, 3)), ("text", "S5"), ("deep", [("z", inner, (2,))])], align=True)
    values = np.zeros(3, nested)
    values["a"], values["nested"]["x"], values["nested"]["y"] = [1, 2, 3], [0.5, 1.5, 2.5], [1, -1, 1 << 40]
    values["list"], values["text"], values["deep"]["z"]["x"] = np.arange(18).reshape(3, 2, 3), [b"a", b"bb", b"ccccc"], np.arange(6).reshape(3, 2)
    yield "compound", h5t.py_create(nested), values
    names = [(f"member_{i:03d}" + "x" * (i % 9), ("<i4", ">f8", "S3", "u1")[i % 4]) for i in range(40)]
    yield "compound_many", h5t.py_create(np.dtype(names)), np.zeros(2, names)
    yield "compound_vlen", h5t.py_create(np.dtype([("s", h5py.string_dtype()), ("n", "i4")]), logical=True), None
    yield "compound_sparse", h5t.py_create(np.dtype({"names": ["p", "q"], "formats": ["<i2", "<f8"], "offsets": [3, 300], "itemsize": 400})), np.zeros(2, np.dtype({"names": ["p", "q"], "formats": ["<i2", "<f8"], "offsets": [3, 300], "itemsize": 400}))
    yield "complex", h5t.py_create(np.dtype("<c16")), np.array([1 + 2j, -0.5j])
    yield "opaque", h5t.py_create(np.dtype("V7")), np.array([b"abcdefg", b"1234567"], "V7")
    tagged = h5t.create(h5t.OPAQUE, 12)
    tagged.set_tag(b"a tag of nineteen b")
    yield "opaque_tagged", tagged, None
    yield "array", h5t.array_create(h5t.STD_I32BE, (3, 2)), None
    yield "array_of_compound", h5t.array_create(h5t.py_create(inner), (4,)), None
    yield "array_of_array", h5t.array_create(h5t.array_create(h5t.IEEE_F32LE, (2,)), (3,)), None
    yield "array_of_vlen", h5t.array_create(h5t.vlen_create(h5t.STD_I16LE), (2,)), None
    for name in ("STD_B8LE", "STD_B16BE", "STD_B32LE", "STD_B64BE"):
        yield name, getattr(h5t, name), None
    yield "time", h5t.UNIX_D32LE, None
    yield "object_reference", h5t.STD_REF_OBJ, None
    yield "region_reference", h5t.STD_REF_DSETREG, None
    try:
        yield "new_reference", h5t.TypeID(call("H5Tcopy", HID(HID.in_dll(lib, "H5T_STD_REF_g").value))), None
    except (AttributeError, ValueError):
        pass


lib.H5Tcopy.restype = HID


def all_types(f):
    """Each type as attributes (scalar, 1-D, null) and as the type of a dataset that was never written."""
    g, datasets = f.create_group("types"), f.create_group("datasets")
    for name, t, values in types():
        key = name.encode()
        try:
            h5d.create(datasets.id, key, t, h5s.create_simple((4, 0, 2)))
            h5a.create(g.id, b"null " + key, t, h5s.create(h5s.NULL))
            one = h5a.create(g.id, b"unwritten " + key, t, h5s.create(h5s.SCALAR))
            if t.get_class() not in (h5t.VLEN, h5t.REFERENCE) and not t.detect_class(h5t.VLEN) and not (t.get_class() == h5t.STRING and t.is_variable_str()):
                raw = np.frombuffer(rng.bytes(t.get_size()), f"V{t.get_size()}").reshape(())
                if t.get_class() not in (h5t.FLOAT, h5t.ENUM, h5t.COMPOUND, h5t.ARRAY, h5t.STRING):
                    one.write(raw.copy(), mtype=t)
        except Exception as error:
            print(f.filename, name, "dataset", error)
        if values is None:
            continue
        if isinstance(values, list) or name == "string_utf8":  # what h5py's lower level does not write
            g.attrs.create(name, values, shape=(len(values),), dtype=t.dtype)
            continue
        space = h5s.create_simple(values.shape)
        try:
            a = h5a.create(g.id, key, t, space)
            if t.get_class() == h5t.ENUM:
                a.write(np.ascontiguousarray(values), mtype=t)
            else:
                a.write(np.ascontiguousarray(values))
        except Exception as error:
            print(f.filename, name, "attribute", error)
    ref = f["types"].attrs
    ref["refs"] = np.array([f["types"].ref, f["datasets"].ref, h5py.Reference()], h5py.ref_dtype)
    d = f.create_dataset("for_regions", data=np.arange(20).reshape(4, 5))
    ref["region"] = np.array([d.regionref[1:3, ::2]], h5py.regionref_dtype)
    ref["empty string"], ref["empty"], ref["scalar text"] = "", h5py.Empty("f8"), "text"
    ref["wörld"], ref["日本語"], ref["with/slash and space"] = 1, 2, 3
    ref["3-D"] = np.arange(24.0).reshape(2, 3, 4)
    ref["no rows"] = np.zeros((0, 3))


def extents(f):
    g = f.create_group("extents")
    g.create_dataset("scalar", data=1.5)
    g.create_dataset("null", data=h5py.Empty("i4"))
    g.create_dataset("zero", shape=(0,), dtype="f4")
    g.create_dataset("unlimited", shape=(3, 4), maxshape=(None, 9), chunks=(2, 2), dtype="i2")
    g.create_dataset("rank32", shape=(1,) * 31 + (2,), dtype="u1")
    g.create_dataset("large", shape=(1 << 40, 1 << 20), chunks=(100, 100), dtype="f8")
    g.create_dataset("fill", shape=(4,), dtype=">i4", fillvalue=-7)
    g.create_dataset("filters", shape=(100,), chunks=(10,), dtype="f8", compression="gzip", shuffle=True, fletcher32=True)
    g.create_dataset("lzf", shape=(100,), chunks=(10,), dtype="f8", compression="lzf")
    g.create_dataset("scaleoffset", shape=(100,), chunks=(10,), dtype="i8", scaleoffset=5)
    dcpl = h5p.create(h5p.DATASET_CREATE)
    dcpl.set_layout(h5d.COMPACT)
    h5d.create(g.id, b"compact", h5t.IEEE_F64LE, h5s.create_simple((10,)), dcpl).write(h5s.ALL, h5s.ALL, np.arange(10.0))
    for alloc in (h5d.ALLOC_TIME_EARLY, h5d.ALLOC_TIME_LATE, h5d.ALLOC_TIME_INCR):
        for when in (h5d.FILL_TIME_ALLOC, h5d.FILL_TIME_NEVER, h5d.FILL_TIME_IFSET):
            dcpl = h5p.create(h5p.DATASET_CREATE)
            dcpl.set_alloc_time(alloc)
            dcpl.set_fill_time(when)
            dcpl.set_chunk((4,))
            h5d.create(g.id, f"fill_{alloc}_{when}".encode(), h5t.IEEE_F64LE, h5s.create_simple((10,)), dcpl)


def links(f):
    g = f.create_group("links")
    g["hard"], g["soft"], g["dangling"], g["external"] = g, h5py.SoftLink("/types"), h5py.SoftLink("nowhere"), h5py.ExternalLink("other file.h5", "/päth")
    g["日本語"], g["with space"], g["relative"] = h5py.SoftLink("./hard"), h5py.SoftLink("/links//hard/./soft"), h5py.SoftLink("hard/soft")
    g.create_group("a/b/c/d")
    g["x" * 200] = h5py.SoftLink("y" * 3000)
    g["x" * 300] = h5py.SoftLink("/types")
    for n in (8, 9, 100):
        many = g.create_group(f"many_{n}")
        for i in range(n):
            many[f"link {i}"] = h5py.SoftLink(f"/target/{i}")
            many.attrs[f"attribute {i}"] = np.arange(i % 7)
    removed = g.create_group("removed")
    for i in range(60):
        removed[f"link {i}"] = h5py.SoftLink(f"/target/{i}")
        removed.attrs[f"attribute {i}"] = "x" * i
    for i in range(0, 60, 3):
        del removed[f"link {i}"], removed.attrs[f"attribute {i}"]
    tracked = group(g, "tracked", H5Pset_link_creation_order=(3,), H5Pset_attr_creation_order=(3,))
    few = group(g, "tracked_few", H5Pset_link_creation_order=(1,), H5Pset_attr_creation_order=(1,))
    for i in range(40):
        tracked[f"link {i * 7 % 40}"] = h5py.SoftLink(f"/target/{i}")
        tracked.attrs[f"attribute {i * 7 % 40}"] = i
    for i in range(3):
        few[f"link {i}"], few.attrs[f"attribute {i}"] = h5py.SoftLink(f"/target/{i}"), i
    always_dense = group(g, "always_dense", H5Pset_link_phase_change=(0, 0), H5Pset_attr_phase_change=(0, 0))
    always_dense["one"], always_dense.attrs["one"] = g, 1
    never_dense = group(g, "never_dense", H5Pset_link_phase_change=(1000, 500), H5Pset_attr_phase_change=(1000, 500))
    for i in range(200):
        never_dense[f"link {i}"], never_dense.attrs[f"attribute {i}"] = g, i
    if g.file.libver[0] != "earliest":
        filtered = group(g, "filtered", H5Pset_deflate=(6,), H5Pset_link_phase_change=(0, 0))
        for i in range(700):
            filtered[f"link {i}"] = h5py.SoftLink(f"/a path that compresses well/{i}" * (1 + i % 30))
        few_filtered = group(g, "filtered_few", H5Pset_deflate=(6,), H5Pset_link_phase_change=(0, 0))
        few_filtered["one"], few_filtered["x" * 6000] = g, h5py.SoftLink("y" * 6000)
    estimated = group(g, "estimated", H5Pset_est_link_info=(100, 20))
    estimated["one"] = g


def thousands(f, n):
    g = f.create_group("thousands")
    for i in range(n):
        g[f"a link with a name that fills heaps {i}"] = h5py.SoftLink(f"/target/{i}")
    d = f.create_dataset("attributes", data=1)
    for i in range(n // 3):
        d.attrs[f"attribute {i}"] = np.arange(i % 11, dtype="i2")


def committed(f):
    f["committed"] = np.dtype([("a", "<i4"), ("b", ">f8", (2,))])
    f["committed_text"] = h5py.string_dtype()
    f["committed"].attrs["note"] = "types carry attributes"
    f.create_dataset("of_committed", shape=(3,), dtype=f["committed"])
    f.attrs.create("of_committed", np.zeros(2, f["committed"].dtype), dtype=f["committed"])
    f.create_dataset("text_of_committed", data=["x", "yy"], dtype=f["committed_text"])
    f.attrs.create("text_of_committed", ["x", "yy"], dtype=f["committed_text"])


def large_attributes(f):
    """Attributes that only dense storage holds, and heap objects of every size."""
    g = f.create_group("large")
    for size in (10, 300, 1000, 3000, 4090, 5000, 20_000, 70_000, 300_000):
        g.attrs[f"attribute of {size}"] = rng.integers(0, 255, size).astype("u1")
    for i in range(60):
        g.attrs[f"{i}"] = rng.integers(0, 255, 3500).astype("u1")
    g["x" * 5000] = h5py.SoftLink("y" * 5000)
    for i in range(40):
        g[f"{i}" * 30] = h5py.SoftLink("z" * 3000)


def chains():
    """Files that refer to each other, and chains of links at and over the limit."""
    with h5py.File("other file.h5", "w") as f:
        f["päth/x"] = np.arange(3)
        f["back"] = h5py.ExternalLink("chains.h5", "/data")
    with h5py.File("chains.h5", "w") as f:
        f["data"] = np.arange(4)
        for n in (16, 17):
            f[f"{n}/{n}"] = f["data"]
            for i in range(n):
                f[f"{n}/{i}"] = h5py.SoftLink(f"/{n}/{i + 1}")
        f["cycle"], f["cycle2"] = h5py.SoftLink("cycle2"), h5py.SoftLink("/cycle")
        f["out"], f["out_and_back"], f["missing_file"], f["missing_path"] = h5py.ExternalLink("other file.h5", "päth"), h5py.ExternalLink("other file.h5", "/back"), h5py.ExternalLink("none.h5", "/x"), h5py.ExternalLink("other file.h5", "/none")
        f["g/up"], f["g/h/data"], f["soft_out"] = h5py.SoftLink("h/data"), f["data"], h5py.SoftLink("out/x")
    with h5py.File("chains.h5", "a") as f:
        f["type"] = np.dtype("i4")


chains()
if sys.argv[2:] == ["links"]:
    sys.exit()
for low, high in GENERATIONS:
    with new_file(f"all_{low}.h5", low, high) as f:
        all_types(f)
        extents(f)
        links(f)
        committed(f)
        thousands(f, 900)
        if low != "earliest":
            large_attributes(f)
    print(f"all_{low}.h5")

with new_file("thousands_old.h5", "earliest", "v108") as f:
    thousands(f, 6000)
with new_file("thousands_new.h5", "v108", "v108") as f:
    thousands(f, 12000)
with new_file("symbol_nodes.h5", "earliest", "v108", H5Pset_sym_k=(2, 2), H5Pset_istore_k=(7,)) as f:  # superblock 1
    thousands(f, 1500)
for size in (512, 2048, 65536):
    for low, high in (("earliest", "v108"), ("latest", "latest")):
        with new_file(f"user_block_{size}_{low}.h5", low, high, H5Pset_userblock=(ctypes.c_uint64(size),)) as f:
            committed(f)
            links(f)
for offset, length in ((4, 4), (8, 4), (4, 8), (2, 2)):
    for low, high in (("earliest", "v108"), ("latest", "latest")):
        try:
            with new_file(f"sizes_{offset}_{length}_{low}.h5", low, high, H5Pset_sizes=(ctypes.c_size_t(offset), ctypes.c_size_t(length))) as f:
                f.create_dataset("x", data=np.arange(10), chunks=(3,), maxshape=(100,), compression="gzip")
                f.attrs["number"] = 1.5
                for i in range(60 if offset > 2 else 7):  # libhdf5 cannot read its own dense attributes with lengths of 2 bytes
                    f[f"link {i}"] = h5py.SoftLink(f"/target/{i}")
                    f.attrs[f"attribute {i}"] = i
        except Exception as error:
            print("sizes", offset, length, low, error)
# The shared message table: everything that may be shared, above 1 byte; then several heaps.
ALL = 0x2 | 0x8 | 0x20 | 0x800 | 0x1000
for name, indexes in {"shared_all": [(ALL, 1)], "shared_two": [(0x1000, 30), (0x2 | 0x8, 10)]}.items():
    for low, high in (("earliest", "latest"), ("latest", "latest")):
        settings = {"H5Pset_shared_mesg_nindexes": (len(indexes),)}
        fapl, fcpl = h5p.create(h5p.FILE_ACCESS), h5p.create(h5p.FILE_CREATE)
        fapl.set_libver_bounds(BOUNDS[low], BOUNDS[high])
        call("H5Pset_shared_mesg_nindexes", HID(fcpl.id), len(indexes))
        for i, (flags, size) in enumerate(indexes):
            call("H5Pset_shared_mesg_index", HID(fcpl.id), i, flags, size)
        with h5py.File(h5f.create(f"{name}_{low}.h5".encode(), h5f.ACC_TRUNC, fcpl=fcpl, fapl=fapl)) as f:
            for i in range(80):
                d = f.create_dataset(f"d{i}", shape=(10 + i % 3, 4), dtype=[("a", "i4"), ("b", "f8")], chunks=(5, 2), compression="gzip", fillvalue=np.array((i % 2, 1.5), [("a", "i4"), ("b", "f8")]))
                for j in range(12 if i % 5 == 0 else 3):
                    d.attrs[f"attribute {j}"] = f"a text that is the same in all {j}"
                    d.attrs[f"numbers {j}"] = np.arange(5.0) + i % 2
            committed(f)
strategies = {"paged": (2, 1, ctypes.c_uint64(1)), "aggregate": (1, 0, ctypes.c_uint64(1)), "persist": (0, 1, ctypes.c_uint64(1)), "none": (3, 0, ctypes.c_uint64(1))}
for name, arguments in strategies.items():
    with new_file(f"strategy_{name}.h5", "v110", "latest", H5Pset_file_space_strategy=arguments) as f:
        committed(f)
        links(f)
with h5py.File("swmr.h5", "w", libver="latest") as f:
    d = f.create_dataset("x", shape=(10,), maxshape=(None,), chunks=(4,), dtype="f8")
    f.swmr_mode = True
    d.resize((30,))
    d[...] = np.arange(30.0)
# Old objects in a new file and the other way round.
with h5py.File("all_earliest.h5", "r") as source, new_file("copied_to_new.h5", "latest", "latest") as f:
    for name in ("links", "types", "committed", "thousands", "of_committed"):
        source.copy(name, f)
with h5py.File("all_latest.h5", "r") as source, new_file("copied_to_old.h5", "earliest", "latest") as f:
    for name in ("links", "types", "committed", "thousands", "of_committed"):
        source.copy(name, f)
