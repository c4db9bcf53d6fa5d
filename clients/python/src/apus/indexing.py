"""What numpy's indices ask of the server: ranges of rows, columns, and the index into what comes."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .npy import Array
from .rows import Ranges

# Unwanted bytes between two rows, up to which they are read as one range: about as long as a range is in a request.
MERGED_GAP_BYTES = 64


@dataclass(frozen=True)
class Plan:
    """Rows (None for all) and columns (None for all, an index takes their axis away) to read, and the index that picks the result from them."""

    rows: Ranges | None
    columns: int | list[int] | None
    index: tuple[Any, ...]


def plan(key: Any, shape: tuple[int, ...], row_bytes: int, columns: Sequence[str] = ()) -> Plan:
    """The plan of `array[key]` for an array of that shape. `columns` are names that are taken as indices of the second axis.

    Errors: IndexError as numpy raises it, before anything is read.
    """
    keys = _expanded(key, len(shape))
    is_mask_of_several_axes = any(isinstance(item, (list, np.ndarray)) and _is_bool(item) and np.ndim(item) > 1 for item in keys)
    if not shape or is_mask_of_several_axes:
        return Plan(None, None, tuple(keys))
    first, *rest = [i for i, item in enumerate(keys) if item is not None]
    rows, keys[first] = _rows(keys[first], shape[0], max(row_bytes, 1))
    taken: int | list[int] | None = None
    if rest and len(shape) == 2:
        taken, index = _columns(keys[rest[0]], shape[1], columns)
        keys[rest[0] : rest[0] + 1] = [] if isinstance(taken, int) else [index]
    while keys and isinstance(keys[-1], slice) and keys[-1] == slice(None):
        del keys[-1]
    return Plan(rows, taken, tuple(keys))


def _expanded(key: Any, n_axes: int) -> list[Any]:
    """One index for each axis, and None for each new axis."""
    keys = list(key) if isinstance(key, tuple) else [key]
    n_taken = sum(
        np.ndim(item) if isinstance(item, (list, np.ndarray)) and _is_bool(item) else 1
        for item in keys
        if item is not None and item is not Ellipsis
    )
    if n_taken > n_axes:
        raise IndexError(f"too many indices: {n_taken} for an array of dimension {n_axes}")
    ellipses = [i for i, item in enumerate(keys) if item is Ellipsis]
    if len(ellipses) > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    at = ellipses[0] if ellipses else len(keys)
    keys[at : at + 1] = [slice(None)] * (n_axes - n_taken)
    return keys


def _rows(key: Any, n_rows: int, row_bytes: int) -> tuple[Ranges | None, Any]:
    """The ranges to read for an index of the first axis, and the index into them."""
    if isinstance(key, slice):
        return _rows_of_slice(key, n_rows, row_bytes)
    wanted = _whole_numbers(key, n_rows, "row")
    if isinstance(wanted, int):
        return [(wanted, wanted + 1)], 0
    if not wanted.size:
        return [], wanted
    rows = np.unique(wanted)
    is_start = np.concatenate([[True], (np.diff(rows) - 1) * row_bytes > MERGED_GAP_BYTES])
    starts = rows[is_start]
    ends = np.append(rows[:-1][is_start[1:]], rows[-1]) + 1
    # Where each range begins in what comes.
    offsets = np.cumsum(ends - starts) - (ends - starts)
    of_row = np.searchsorted(starts, wanted, "right") - 1
    return list(zip(starts.tolist(), ends.tolist())), offsets[of_row] + wanted - starts[of_row]


def _rows_of_slice(key: slice, n_rows: int, row_bytes: int) -> tuple[Ranges | None, slice]:
    rows = range(*key.indices(n_rows))
    is_backwards = rows.step < 0
    ascending = rows[::-1] if is_backwards else rows
    if not ascending:
        return [], slice(None)
    step = ascending.step
    if (step - 1) * row_bytes > MERGED_GAP_BYTES and len(ascending) > 1:
        return [(row, row + 1) for row in ascending], slice(None, None, -1 if is_backwards else None)
    span = (ascending[0], ascending[-1] + 1)
    if step == 1 or len(ascending) == 1:
        index = slice(None, None, -1) if is_backwards else slice(None)
    else:
        index = slice(None, None, -step if is_backwards else step)
    return None if span == (0, n_rows) else [span], index


def _columns(key: Any, n_columns: int, names: Sequence[str]) -> tuple[int | list[int] | None, Any]:
    """The columns to read for an index of the second axis, and the index into them."""
    if isinstance(key, str):
        if key not in names:
            raise KeyError(key)
        return names.index(key), None
    if isinstance(key, slice):
        columns = range(*key.indices(n_columns))
        if not columns or len(columns) == n_columns:
            return None, key
        ascending = sorted(columns)
        return ascending, slice(None, None, -1 if columns.step < 0 else None)
    wanted = _whole_numbers(key, n_columns, "column")
    if isinstance(wanted, int):
        return wanted, None
    if not wanted.size:
        return None, wanted
    taken = np.unique(wanted)
    return taken.tolist(), np.searchsorted(taken, wanted)


def _whole_numbers(key: Any, extent: int, what: str) -> int | Array:
    """An index, or an array of them, counted from the beginning."""
    if isinstance(key, (bool, np.bool_)):
        raise IndexError(f"{key} is no index of {what}s")
    if not isinstance(key, np.ndarray) and hasattr(key, "__index__"):
        found = operator.index(key)
        if not -extent <= found < extent:
            raise IndexError(f"{what} {found} is out of range: there are {extent} {what}s")
        return found % extent
    numbers = np.asarray(key)
    if numbers.dtype == bool:
        if numbers.shape != (extent,):
            raise IndexError(f"a boolean index of {what}s has one value for each of the {extent}, not shape {numbers.shape}")
        return np.flatnonzero(numbers)
    if not numbers.size:
        return numbers.astype(np.intp)
    if numbers.dtype.kind not in "iu":
        raise IndexError(f"{key!r} is no index of {what}s: give a whole number, a slice, or an array of whole numbers or booleans")
    least, most = int(numbers.min()), int(numbers.max())
    if least < -extent or most >= extent:
        raise IndexError(f"{what} {most if most >= extent else least} is out of range: there are {extent} {what}s")
    numbers = numbers.astype(np.int64)
    if not numbers.ndim:
        return int(numbers) % extent
    return np.where(numbers < 0, numbers + extent, numbers)


def _is_bool(item: Any) -> bool:
    return np.asarray(item).dtype == bool
