"""Arrays in the npy form, read as they come into memory that is allocated once."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import numpy.typing as npt

from . import errors
from .stream import Stream

# numpy's own limit is 10,000; records with many members have more.
MAX_HEADER_BYTES = 1 << 20

Array = npt.NDArray[Any]


def read_array(stream: Stream) -> Array:
    """The array whose npy file comes next.

    Errors: `Broken` for what is no npy file, or has another length than the body.
    """
    magic = stream.read_exactly(8)
    if magic[:6] != b"\x93NUMPY" or magic[6] not in (1, 2, 3):
        raise errors.Broken("the answer is no array in npy form")
    n_bytes = int.from_bytes(stream.read_exactly(2 if magic[6] == 1 else 4), "little")
    if n_bytes > MAX_HEADER_BYTES:
        raise errors.Broken(f"the head of an array has {n_bytes} bytes")
    dtype, shape = _parse_header(stream.read_exactly(n_bytes).decode("latin1" if magic[6] < 3 else "utf-8", "replace"))
    size_bytes = dtype.itemsize
    for extent in shape:
        size_bytes *= extent
    if stream.size_bytes is not None and size_bytes > stream.size_bytes - stream.position:
        raise errors.Broken(f"an array of shape {shape} is longer than the answer")
    array = np.empty(shape, dtype)
    if size_bytes:
        stream.read_into(array.reshape(-1).view(np.uint8).data)
    return array


def _parse_header(text: str) -> tuple[np.dtype[Any], tuple[int, ...]]:
    try:
        header = ast.literal_eval(text)
        shape = tuple(int(extent) for extent in header["shape"])
        dtype = np.lib.format.descr_to_dtype(header["descr"])
        if header["fortran_order"] or dtype.hasobject or min(shape, default=0) < 0:
            raise ValueError("of a kind that is not read")
    except (ValueError, SyntaxError, TypeError, KeyError, RecursionError, MemoryError) as error:
        raise errors.Broken(f"the head of an array is not understood: {error}") from error
    return dtype, shape
