"""SWIFT's lossy filter chains, written through h5py's low level as SWIFT writes them: [nbit or scale-offset] > shuffle > deflate > fletcher32."""

import h5py
import numpy as np
from h5py import h5d, h5p, h5s, h5t, h5z

CHUNK_ROWS = 8192
# Name: mantissa bits, exponent bits, bytes.
FLOATS = {
    "FMantissa9": (9, 8, 4), "FMantissa13": (13, 8, 4), "BFloat16": (7, 8, 4), "HalfFloat": (10, 5, 4),
    "DMantissa9": (9, 11, 8), "DMantissa13": (13, 11, 8), "DMantissa21": (21, 11, 8),
}
NBIT_INTEGERS = (32, 36, 40, 44, 48, 56)
DSCALES = range(1, 7)


def chain_names():
    """The dataset of each chain."""
    return [*FLOATS, *(f"Nbit{n}" for n in NBIT_INTEGERS), *(f"DScale{n}{size}" for n in DSCALES for size in ("_f8", "_f4")), "FMantissa9_nogzip", "DScale3_f8_nogzip"]


def write_chains(path, values):
    """One dataset for each chain, from doubles between 0 and 100."""
    ids = (values * 1e7).astype("i8")
    # Version 2 object headers, as SWIFT's since 2025: the library does not trust narrow floats in older ones.
    with h5py.File(path, "w", libver=("v108", "v108")) as f:
        for name, (mantissa, exponent, size) in FLOATS.items():
            write(f, name, narrow_float(size, exponent, mantissa), values.astype(f"f{size}"), nbit)
        for n_bits in NBIT_INTEGERS:
            kind = h5t.NATIVE_INT64.copy()
            kind.set_precision(n_bits)
            kind.set_offset(0)
            write(f, f"Nbit{n_bits}", kind, ids, nbit)
        for digits in DSCALES:
            write(f, f"DScale{digits}_f8", h5t.IEEE_F64LE, values, dscale(digits))
            write(f, f"DScale{digits}_f4", h5t.IEEE_F32LE, values.astype("f4"), dscale(digits))
        write(f, "FMantissa9_nogzip", narrow_float(4, 8, 9), values.astype("f4"), nbit, compress=False)
        write(f, "DScale3_f8_nogzip", h5t.IEEE_F64LE, values, dscale(3), compress=False)


def nbit(dcpl):
    dcpl.set_filter(h5z.FILTER_NBIT)


def dscale(digits):
    return lambda dcpl: dcpl.set_scaleoffset(h5z.SO_FLOAT_DSCALE, digits)


def narrow_float(size, exponent, mantissa):
    kind = (h5t.IEEE_F64LE if size == 8 else h5t.IEEE_F32LE).copy()
    kind.set_fields(mantissa + exponent, mantissa, exponent, 0, mantissa)
    kind.set_offset(0)
    kind.set_precision(mantissa + exponent + 1)
    kind.set_size(size)
    kind.set_ebias((1 << (exponent - 1)) - 1)
    return kind


def write(file, name, kind, values, set_lossy, compress=True):
    dcpl = h5p.create(h5p.DATASET_CREATE)
    dcpl.set_chunk((CHUNK_ROWS,))
    set_lossy(dcpl)
    if compress:
        dcpl.set_shuffle()
        dcpl.set_deflate(4)
    dcpl.set_fletcher32()
    dataset = h5d.create(file.id, name.encode(), kind, h5s.create_simple(values.shape), dcpl)
    dataset.write(h5s.ALL, h5s.ALL, np.ascontiguousarray(values))
