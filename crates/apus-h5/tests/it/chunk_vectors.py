#!/usr/bin/env python3
"""Writes chunks with h5py, and beside them what h5py makes of them.

usage: chunk_vectors.py OUTDIR SEED        (needs h5py, hdf5plugin and numpy)

OUTDIR gets vectors.bin and vectors.json: a list of cases, each with the filters as the file declares them, the filter mask, the
stored and the native type, and the places [start, end) in vectors.bin of the chunk's raw bytes, of the elements as stored (the
filters undone: read with the file's type as the memory type) and of the native elements (read as numpy has them, little-endian).
Every dataset is one chunk.
"""
import ctypes
import glob
import json
import os
import random
import sys
import zlib

import h5py
import hdf5plugin
import numpy as np
from h5py import h5d, h5f, h5p, h5s, h5t, h5z

OUT, SEED = sys.argv[1], int(sys.argv[2])
os.makedirs(OUT, exist_ok=True)
rng = np.random.default_rng(SEED)
pick = random.Random(SEED)

# Unusual floating-point types pass libhdf5's checks only in files that are opened so.
lib = ctypes.CDLL(glob.glob(os.path.join(os.path.dirname(h5py.__file__), "..", "h5py.libs", "libhdf5-*"))[0])
lib.H5Pset_relax_file_integrity_checks.argtypes = [ctypes.c_int64, ctypes.c_uint64]
fapl = h5p.create(h5p.FILE_ACCESS)
fapl.set_libver_bounds(h5f.LIBVER_V18, h5f.LIBVER_LATEST)
fapl.set_fclose_degree(h5f.CLOSE_STRONG)
assert lib.H5Pset_relax_file_integrity_checks(fapl.id, 1) >= 0
file = h5py.File(h5f.create(os.path.join(OUT, "vectors.h5").encode(), h5f.ACC_TRUNC, fapl=fapl))

written = []
cases = []
blob = open(os.path.join(OUT, "vectors.bin"), "wb")
ORDER = {h5t.ORDER_LE: "little", h5t.ORDER_BE: "big"}


def describe(t):
    """A datatype in the words of the crate."""
    size = t.get_size()
    if isinstance(t, h5t.TypeEnumID):
        return {"class": "enum", "base": describe(t.get_super())}
    if isinstance(t, h5t.TypeIntegerID):
        return {"class": "integer", "size": size, "signed": t.get_sign() == h5t.SGN_2, "order": ORDER[t.get_order()],
                "bit_offset": t.get_offset(), "precision": t.get_precision()}
    if isinstance(t, h5t.TypeFloatID):
        sign, exponent, exponent_size, mantissa, mantissa_size = t.get_fields()
        return {"class": "float", "size": size, "order": ORDER[t.get_order()], "bit_offset": t.get_offset(), "precision": t.get_precision(),
                "sign_position": sign, "exponent_position": exponent, "exponent_size": exponent_size,
                "mantissa_position": mantissa, "mantissa_size": mantissa_size, "exponent_bias": t.get_ebias(),
                "implied_msb": t.get_norm() == h5t.NORM_IMPLIED}
    if isinstance(t, h5t.TypeCompoundID):
        return {"class": "compound", "size": size, "members": [
            {"name": t.get_member_name(i).decode(), "offset": t.get_member_offset(i), "type": describe(t.get_member_type(i))}
            for i in range(t.get_nmembers())]}
    if isinstance(t, h5t.TypeArrayID):
        return {"class": "array", "base": describe(t.get_super()), "dims": list(t.get_array_dims())}
    if isinstance(t, h5t.TypeStringID):
        return {"class": "string", "size": size}
    if isinstance(t, h5t.TypeOpaqueID):
        return {"class": "opaque", "size": size}
    raise TypeError(t)


def little(dtype):
    """The same numpy type, little-endian all through."""
    if dtype.subdtype:
        return np.dtype((little(dtype.subdtype[0]), dtype.subdtype[1]))
    if dtype.fields:
        return np.dtype({"names": dtype.names, "formats": [little(dtype.fields[n][0]) for n in dtype.names],
                         "offsets": [dtype.fields[n][1] for n in dtype.names], "itemsize": dtype.itemsize})
    return dtype.newbyteorder("<") if dtype.byteorder == ">" else dtype


def put(data):
    start = blob.tell()
    blob.write(data)
    return [start, blob.tell()]


def names_of(dcpl):
    filters = []
    for i in range(dcpl.get_nfilters()):
        number, flags, values, name = dcpl.get_filter(i)
        filters.append({"id": number, "name": name.decode(), "optional": bool(flags & h5z.FLAG_OPTIONAL), "parameters": list(values)})
    return filters


def create(name, file_type, n, setters):
    dcpl = h5p.create(h5p.DATASET_CREATE)
    dcpl.set_chunk((n,))
    for setter in setters:
        setter(dcpl)
    written.append(name)
    return h5d.create(file.id, name.encode(), file_type, h5s.create_simple((n,)), dcpl)


def record(name):
    """Takes down a dataset of one chunk."""
    d = h5d.open(file.id, name.encode())
    (n,) = d.shape
    mask, raw = d.read_direct_chunk((0,))
    file_type = d.get_type()
    stored = np.zeros(n * file_type.get_size(), "u1")
    d.read(h5s.ALL, h5s.ALL, stored, file_type)
    case = {"name": name, "filters": names_of(d.get_create_plist()), "filter_mask": mask, "stored_type": describe(file_type),
            "raw": put(raw), "stored": put(stored.tobytes())}
    try:
        dtype = file_type.dtype
    except (ValueError, TypeError):
        dtype = None  # nothing in numpy holds it
    if dtype is not None and dtype.kind != "V" and dtype.itemsize > 8:
        dtype = None  # long double: not a type that leaves
    if dtype is not None:
        # In the file's byte order, as Dataset[...] does it, and swapped by numpy: libhdf5's own swap forgets to extend signs.
        read = np.zeros(n, dtype)
        memory_type = h5t.py_create(dtype)
        assert memory_type.get_size() == dtype.itemsize
        d.read(h5s.ALL, h5s.ALL, read, memory_type)
        native = np.zeros(n, little(dtype))
        native[...] = read
        case["native_type"] = describe(h5t.py_create(little(dtype)))
        case["native"] = put(native.tobytes())
    cases.append(case)


def write(name, file_type, stored, setters, n):
    """Writes stored elements through the filters."""
    d = create(name, file_type, n, setters)
    d.write(h5s.ALL, h5s.ALL, np.frombuffer(stored, "u1").copy(), file_type)


def write_raw(name, file_type, raw, setters, n, mask=0):
    """Writes a chunk as it stands."""
    d = create(name, file_type, n, setters)
    d.write_direct_chunk((0,), bytes(raw), mask)


def deflate(dcpl):
    dcpl.set_deflate(pick.randint(1, 9))


def shuffle(dcpl):
    dcpl.set_shuffle()


def fletcher32(dcpl):
    dcpl.set_fletcher32()


def lzf(dcpl):
    dcpl.set_filter(32000, h5z.FLAG_OPTIONAL)


def lz4(dcpl):
    dcpl.set_filter(hdf5plugin.LZ4_ID, h5z.FLAG_OPTIONAL, (pick.choice([0, 100, 1000, 1 << 30]),))


def zstd(dcpl):
    dcpl.set_filter(hdf5plugin.ZSTD_ID, h5z.FLAG_OPTIONAL, (pick.choice([1, 3, 9, 19]),))


def nbit(dcpl):
    dcpl.set_filter(h5z.FILTER_NBIT)


def opaque(size):
    return h5t.create(h5t.OPAQUE, size)  # without a tag, as numpy has them


def compressible(n_bytes):
    """Bytes with repeats of all lengths, and stretches of noise."""
    out = b""
    while len(out) < n_bytes:
        kind = pick.random()
        if kind < 0.3 or not out:
            out += rng.bytes(pick.randint(1, 60))
        elif kind < 0.6:
            out += bytes([pick.randint(0, 255)]) * pick.randint(1, 700)
        else:
            start = pick.randrange(len(out))
            out += out[start:start + pick.randint(1, 400)]
    return out[:n_bytes]


def integer(size, precision, offset, order, signed):
    t = {(1, True): h5t.STD_I8LE, (2, True): h5t.STD_I16LE, (4, True): h5t.STD_I32LE, (8, True): h5t.STD_I64LE,
         (1, False): h5t.STD_U8LE, (2, False): h5t.STD_U16LE, (4, False): h5t.STD_U32LE, (8, False): h5t.STD_U64LE}[size, signed].copy()
    t.set_precision(precision)
    t.set_offset(offset)
    t.set_order(order)
    return t


def random_integer(sizes=(1, 2, 4, 8)):
    size = pick.choice(sizes)
    precision = pick.randint(1, 8 * size)
    return integer(size, precision, pick.randint(0, 8 * size - precision), pick.choice(list(ORDER)), pick.random() < 0.5)


def random_float():
    """A floating-point type of any layout that f16, f32 or f64 holds, more often than not."""
    size = pick.choice([1, 2, 2, 3, 4, 4, 4, 5, 6, 7, 8, 8, 8])
    while True:
        exponent, mantissa = pick.randint(1, 11), pick.randint(1, 52)
        if exponent + mantissa + 1 <= 8 * size:
            break
    precision = pick.randint(exponent + mantissa + 1, 8 * size)
    offset = pick.randint(0, 8 * size - precision)
    # The parts in any order, anywhere within the bits that count.
    gaps = sorted(pick.randint(0, precision - exponent - mantissa - 1) for _ in range(3))
    parts = [("sign", 1), ("exponent", exponent), ("mantissa", mantissa)]
    pick.shuffle(parts)
    at, places = offset, {}
    for (part, width), gap in zip(parts, gaps):
        places[part] = at + gap
        at += width
    bias = max(1, (1 << (exponent - 1)) - 1 + pick.choice([0, 0, 0, -1, 1, pick.randint(-40, 40)]))
    # In the one order in which libhdf5 takes them.
    t = h5t.IEEE_F64LE.copy()
    t.set_fields(places["sign"], places["exponent"], exponent, places["mantissa"], mantissa)
    t.set_offset(offset)
    t.set_precision(precision)
    t.set_size(size)
    t.set_ebias(bias)
    t.set_norm(pick.choice([h5t.NORM_IMPLIED] * 3 + [h5t.NORM_NONE]))
    t.set_order(pick.choice(list(ORDER)))
    return t


def random_member_float():
    """One that numpy has in as many bytes: others have no place in the numpy type of a compound."""
    while True:
        t = random_float()
        try:
            if t.dtype.itemsize == t.get_size():
                return t
        except ValueError:
            pass


def masked(file_type, stored):
    """Stored elements with zeros in the bits that do not count, as every writer leaves them."""
    size = file_type.get_size()
    if not isinstance(file_type, (h5t.TypeIntegerID, h5t.TypeFloatID)):
        return stored
    mask = ((1 << file_type.get_precision()) - 1) << file_type.get_offset()
    mask = mask.to_bytes(size, "little" if file_type.get_order() == h5t.ORDER_LE else "big")
    return bytes(np.frombuffer(stored, "u1").reshape(-1, size) & np.frombuffer(mask, "u1"))


def chains():
    """Shuffle for every size of an element, deflate, lzf and fletcher32 in every order, odd lengths, and filter masks."""
    for size in range(1, 18):
        for n in (1, 2, 7, 8, 9, 63, 64, 65, 1000 + size):
            data = compressible(n * size)
            write(f"shuffle {size} {n}", opaque(size), data, [shuffle], n)
            # With the checksum first, shuffle sees a length that is no multiple of the size.
            write(f"fletcher32 shuffle {size} {n}", opaque(size), data, [fletcher32, shuffle], n)
    for length in [*range(1, 70), 719, 720, 721, 722, 1440, 8191, 8192, 8193, 8194, 65535, 70001]:
        for fill in (None, 0, 255):
            data = rng.bytes(length) if fill is None else bytes([fill]) * length
            write(f"fletcher32 {length} {fill}", opaque(length), data, [fletcher32], 1)
    stages = [deflate, shuffle, fletcher32, lzf, lz4, zstd]
    for i in range(250):
        chain = pick.sample(stages, pick.randint(0, 4))
        size, n = pick.choice([1, 2, 3, 4, 8, 12]), pick.randint(1, 3000)
        names = " ".join(stage.__name__ for stage in chain)
        write(f"chain {i}: {names}", opaque(size), compressible(n * size), chain, n)
    for i, stage in enumerate([deflate, lzf, lz4, zstd] * 8):
        size, n = pick.choice([1, 4, 8]), pick.choice([1, 2, 1000, 20_000, 60_000])
        write(f"{stage.__name__} {i}", opaque(size), compressible(n * size), [stage], n)
    for mask in range(8):
        n, size = 500, 4
        data = compressible(n * size)
        raw = np.frombuffer(data, "u1")
        if not mask & 1:
            raw = raw.reshape(n, size).T.copy()
        raw = raw.tobytes()
        if not mask & 2:
            raw = zlib.compress(raw)
        write_raw(f"mask {mask}", opaque(size), raw, [shuffle, deflate, lzf], n, mask | 4)


def nbits():
    for i in range(200):
        t, n = random_integer(), pick.choice([1, 2, 7, 8, 9, 100, 333])
        write(f"nbit integer {i}", t, masked(t, rng.bytes(n * t.get_size())), [nbit], n)
    for i in range(200):
        t, n = random_float(), pick.choice([1, 3, 8, 100, 333])
        write(f"nbit float {i}", t, masked(t, rng.bytes(n * t.get_size())), [nbit], n)

    def compound(depth):
        """A compound with gaps, and its elements with zeros where no bit counts."""
        members, at, fields = [], 0, []
        for k in range(pick.randint(1, 5)):
            at += pick.choice([0, 0, 1, 3])
            kind = pick.random()
            if kind < 0.5:
                t = random_integer()
            elif kind < 0.65:
                t = random_member_float()
            elif kind < 0.75:
                t = opaque(pick.randint(1, 9))
            elif kind < 0.9 or depth == 0:
                base = pick.choice([random_integer, random_member_float, lambda: opaque(3)])()
                t = h5t.array_create(base, (pick.randint(1, 3), pick.randint(1, 3)))
            else:
                t = compound(depth - 1)
            members.append((f"m{k}", at, t))
            at += t.get_size()
        whole = h5t.create(h5t.COMPOUND, at + pick.choice([0, 2]))
        for name, offset, t in members:
            whole.insert(name.encode(), offset, t)
        return whole

    def fill(t):
        """A random element."""
        if isinstance(t, h5t.TypeCompoundID):
            out = bytearray(t.get_size())
            for i in range(t.get_nmembers()):
                at = t.get_member_offset(i)
                member = fill(t.get_member_type(i))
                out[at:at + len(member)] = member
            return bytes(out)
        if isinstance(t, h5t.TypeArrayID):
            base = t.get_super()
            return b"".join(fill(base) for _ in range(t.get_size() // base.get_size()))
        return masked(t, rng.bytes(t.get_size()))

    for i in range(80):
        t, n = compound(2), pick.choice([1, 2, 9, 40])
        write(f"nbit compound {i}", t, b"".join(fill(t) for _ in range(n)), [nbit], n)
    for i in range(40):
        base = pick.choice([random_integer, random_member_float, lambda: compound(1)])()
        t = h5t.array_create(base, (pick.randint(1, 4),))
        if pick.random() < 0.3:
            t = h5t.array_create(t, (pick.randint(1, 3), 2))
        n = pick.choice([1, 2, 9, 40])
        write(f"nbit array {i}", t, b"".join(fill(t) for _ in range(n)), [nbit], n)
    t = h5t.enum_create(h5t.STD_I16BE)
    t.enum_insert(b"A", 1)
    write("nbit enum", t, np.arange(20, dtype=">i2").tobytes(), [nbit], 20)
    write("nbit opaque", opaque(5), rng.bytes(50), [nbit], 10)


def scale_offsets():
    def scale(kind, factor):
        # What H5Pset_scaleoffset does, for negative digits as well.
        return lambda dcpl: dcpl.set_filter(h5z.FILTER_SCALEOFFSET, h5z.FLAG_OPTIONAL, (kind, factor & 0xFFFFFFFF))

    def fill_value(dtype, value):
        if value is None:
            return lambda dcpl: lib.H5Pset_fill_value(dcpl.id, -1, None)
        return lambda dcpl: dcpl.set_fill_value(np.array(value, dtype))

    lib.H5Pset_fill_value.argtypes = [ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p]
    for i in range(250):
        size, signed, order = pick.choice([1, 2, 4, 8]), pick.random() < 0.5, pick.choice("<>")
        dtype = np.dtype(f"{order}{'i' if signed else 'u'}{size}")
        info, n = np.iinfo(dtype), pick.choice([1, 2, 9, 100, 500])
        span = pick.choice([0, 1, 2, 3, 100, 1 << pick.randint(0, 8 * size), info.max - info.min])
        low = pick.choice([info.min, 0, info.max - min(span, info.max), pick.randint(info.min, info.max)])
        values = np.array([min(low + pick.randint(0, span), info.max) for _ in range(n)], dtype)
        filled = pick.choice([None, 0, 7, int(values[0]), info.max])
        if filled is not None:
            values[rng.random(n) < 0.2] = filled
        factor = 0 if pick.random() < 0.7 else pick.randint(1, 8 * size)
        name = f"scale-offset {dtype.str} {i} fill {filled} factor {factor}"
        write(name, h5t.py_create(dtype), values.tobytes(), [fill_value(dtype, filled), scale(h5z.SO_INT, factor)], n)
    for i in range(250):
        dtype = np.dtype(pick.choice(["<f4", "<f8", ">f4", ">f8"]))
        n, digits = pick.choice([1, 2, 9, 100, 500]), pick.randint(-4, 12)
        values = (rng.normal(0, 10.0 ** pick.randint(-6, 9), n) + pick.choice([0, 1e3, -1e6])).astype(dtype)
        if pick.random() < 0.2:
            values[:] = values[0]
        filled = pick.choice([None, 0.0, 0.0, 1e30, float(values[0])])
        if filled is not None:
            values[rng.random(n) < 0.2] = filled
        name = f"scale-offset {dtype.str} {i} fill {filled} digits {digits}"
        write(name, h5t.py_create(dtype), values.tobytes(), [fill_value(dtype, filled), scale(h5z.SO_FLOAT_DSCALE, digits)], n)


def swift():
    """The chains of SWIFT."""
    n = 8192
    positions = np.sort(rng.random(n)) * 100
    for name, chain in {"gzip": [shuffle, deflate, fletcher32], "cells": [fletcher32, shuffle, deflate], "plain": [fletcher32]}.items():
        write(f"swift {name}", h5t.IEEE_F64LE, positions.tobytes(), chain, n)
        for size, exponent, mantissa in ((4, 8, 9), (4, 8, 13), (4, 8, 7), (4, 5, 10), (8, 11, 9), (8, 11, 13), (8, 11, 21)):
            t = (h5t.IEEE_F64LE if size == 8 else h5t.IEEE_F32LE).copy()
            t.set_fields(mantissa + exponent, mantissa, exponent, 0, mantissa)
            t.set_offset(0)
            t.set_precision(mantissa + exponent + 1)
            t.set_size(size)
            t.set_ebias((1 << (exponent - 1)) - 1)
            d = create(f"swift {name} float {exponent} {mantissa}", t, n, [nbit, *chain])
            d.write(h5s.ALL, h5s.ALL, positions.astype(f"<f{size}"))
        for bits in (32, 36, 40, 44, 48, 56):
            t = integer(8, bits, 0, h5t.ORDER_LE, True)
            values = rng.integers(0, 1 << (bits - 1), n).astype("<i8")
            write(f"swift {name} Nbit{bits}", t, values.tobytes(), [nbit, *chain], n)
        for digits in range(1, 7):
            for dtype in ("<f4", "<f8"):
                d = create(f"swift {name} DScale{digits} {dtype}", h5t.py_create(np.dtype(dtype)), n,
                           [lambda dcpl: dcpl.set_scaleoffset(h5z.SO_FLOAT_DSCALE, digits), *chain])
                d.write(h5s.ALL, h5s.ALL, positions.astype(dtype))


def conversions():
    """Stored elements without filters: every bit pattern that may stand there."""
    for i in range(200):
        t, n = random_integer(), 64
        write_raw(f"integer {i}", t, rng.bytes(n * t.get_size()), [], n)
    for i in range(600):
        t, n = random_float(), 128
        raw = np.frombuffer(rng.bytes(n * t.get_size()), "u1").reshape(n, -1).copy()
        # Zeros, subnormal numbers, infinities and NaNs are as frequent as the rest.
        _, exponent, exponent_size, mantissa, mantissa_size = t.get_fields()
        field = ((1 << exponent_size) - 1) << exponent, ((1 << mantissa_size) - 1) << mantissa, 1 << (mantissa + mantissa_size - 1)
        field = [np.frombuffer(f.to_bytes(t.get_size(), "little" if t.get_order() == h5t.ORDER_LE else "big"), "u1") for f in field]
        raw[0:30] &= ~field[0]
        raw[20:50] &= ~field[1]
        raw[40:70] |= field[0]
        raw[60:80] |= field[2]
        raw[50:60] &= ~field[1] | field[2]
        write_raw(f"float {i}", t, raw.tobytes(), [], n)
    for t in (h5t.IEEE_F16LE, h5t.IEEE_F16BE, h5t.IEEE_F32LE, h5t.IEEE_F32BE, h5t.IEEE_F64LE, h5t.IEEE_F64BE):
        write_raw(f"float {describe(t)}", t, rng.bytes(256 * t.get_size()), [], 256)
    every = np.arange(1 << 16, dtype="<u2")
    for exponent in range(2, 15):
        t = h5t.IEEE_F16LE.copy()
        t.set_fields(15, 15 - exponent, exponent, 0, 15 - exponent)
        t.set_ebias((1 << (exponent - 1)) - 1)
        write_raw(f"every float of 2 bytes, exponent {exponent}", t, every.tobytes(), [], len(every))


for theme in (chains, nbits, scale_offsets, swift, conversions):
    theme()
# Only a file that was opened anew reads by the filter masks that were written.
file.close()
file = h5py.File(h5f.open(os.path.join(OUT, "vectors.h5").encode(), h5f.ACC_RDONLY, fapl=fapl))
for name in written:
    record(name)
blob.close()
with open(os.path.join(OUT, "vectors.json"), "w") as out:
    json.dump(cases, out)
print(len(cases), "cases")
