"""Selections as tables of other packages."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from .stream import Stream


class _Readable(io.RawIOBase):
    """A stream as a file to read from."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        block = self._stream.read(len(view))
        view[: len(block)] = block
        return len(block)


def read_arrow(stream: Stream) -> Any:
    """The pyarrow.Table whose IPC stream comes next."""
    try:
        import pyarrow
        import pyarrow.ipc
    except ImportError as error:
        raise ImportError("this needs the package pyarrow: pip install pyarrow") from error
    with pyarrow.PythonFile(io.BufferedReader(_Readable(stream), 1 << 20), "r") as source, pyarrow.ipc.open_stream(source) as reader:
        table = reader.read_all()
    stream.finish()
    return table


def data_frame(arrays: Mapping[str, tuple[Any, list[str]]], attributes: dict[str, Any]) -> Any:
    """A pandas.DataFrame of arrays and the names of their columns; `attributes` and the units are in its `attrs`."""
    try:
        import pandas
    except ImportError as error:
        raise ImportError("this needs the package pandas: pip install pandas") from error
    columns: dict[str, Any] = {}
    units: dict[str, str] = {}
    for name, (array, column_names) in arrays.items():
        plain = np.asarray(array)
        unit = getattr(array, "units", None) or getattr(array, "unit", None)
        for column, values in _columns(name, plain, column_names):
            columns[column] = values
            if unit is not None:
                units[column] = str(unit)
    frame = pandas.DataFrame(columns)
    frame.attrs.update(attributes, units=units)
    return frame


def _columns(name: str, array: Any, column_names: list[str]) -> list[tuple[str, Any]]:
    """The columns of an array, called as in the server's CSV."""
    if array.ndim == 1:
        return [(name, array)]
    indices = list(np.ndindex(array.shape[1:]))
    if array.ndim == 2 and len(column_names) == len(indices):
        names = [f"{name}.{column}" for column in column_names]
    elif array.shape[1:] == (3,):
        names = [f"{name}.{axis}" for axis in "xyz"]
    else:
        names = ["_".join([name, *map(str, index)]) for index in indices]
    return [(column, array[(slice(None), *index)]) for column, index in zip(names, indices)]
