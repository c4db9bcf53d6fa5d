"""Rows as callers say them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any, Union

# A slice or range, a pair (a, b), or several of them; None for all.
Rows = Union[slice, range, "tuple[int, int]", Iterable[Any], None]


Ranges = list[tuple[int, int]]


def row_ranges(rows: Rows, n_rows: Callable[[], int]) -> Ranges | None:
    """Half-open ranges from 0 on, None for all rows; `n_rows` is asked only where an end is open or counted from behind.

    Errors: ValueError for steps, TypeError for what are no rows.
    """
    if rows is None or (isinstance(rows, slice) and rows == slice(None)):
        return None
    if isinstance(rows, (slice, range)) or _is_pair(rows):
        return [_one(rows, n_rows)]
    return [_one(item, n_rows) for item in rows]


def _one(item: Any, n_rows: Callable[[], int]) -> tuple[int, int]:
    if isinstance(item, (slice, range)):
        if item.step not in (None, 1):
            raise ValueError(f"rows={item}: steps are not taken; take the array apart")
        start, end = item.start, item.stop
    elif _is_pair(item):
        start, end = item
    else:
        raise TypeError(f"{item!r} are no rows: give slice(a, b) or (a, b)")
    start = 0 if start is None else operator.index(start)
    if start < 0:
        start = max(start + n_rows(), 0)
    end = n_rows() if end is None else operator.index(end)
    if end < 0:
        end = max(end + n_rows(), 0)
    return start, max(start, end)


def _is_pair(item: Any) -> bool:
    try:
        return len(item) == 2 and all(hasattr(end, "__index__") and not isinstance(end, bool) for end in item)
    except TypeError:
        return False
