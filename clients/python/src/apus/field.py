"""A field of a file: an array on the server."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from . import errors
from .indexing import plan
from .quantity import Kind, Meaning, dress, unit_of
from .rows import Rows
from .server import Server

# Iterating over a field reads this many bytes at a time.
ITERATED_BYTES = 4 << 20


class Source(Protocol):
    """A file, as its fields know it."""

    path: str
    connection: Server

    @property
    def scale_factor(self) -> float | None: ...


class Field(NDArrayOperatorsMixin):
    """A dataset of a group, read when it is used.

    It is indexed as arrays of numpy are: `field[:1000]`, `field[::10]`, `field[-1]`, `field[mask]`, `field[[5, 3, 5]]`, `field[:, 0]`; each reads
    just these rows and columns, in as few requests as possible, and returns an array with its unit. numpy's functions and operators take it as
    an array, and so do the array's methods: `np.max(field)`, `field > 1e5 * unyt.K`, `field.to("kpc")`. For these it is read whole, once.
    """

    __hash__ = None  # type: ignore[assignment]  # compared element by element, as arrays are

    def __init__(self, file: Source, info: dict[str, Any], column: int | None = None) -> None:
        self.file = file
        self.info = info
        self.path: str = info["path"]
        self.dtype = _dtype(info["dtype"])
        self.unit: str | None = (info.get("unit") or {}).get("name")
        self.frame: str = info["frame"]
        self.a_exponent: float = info["a_exponent"]
        self.description: str | None = info.get("description")
        self.columns: list[str] = (info.get("named_columns") or {}).get("names", []) if column is None else []
        shape = tuple(info["shape"])
        self.shape: tuple[int, ...] = shape if column is None else shape[:1]
        self.name: str = info["name"] if column is None else f"{info['name']}.{info['named_columns']['names'][column]}"
        # Of a named column, which is a field of its own: its index.
        self._column = column

    @property
    def meaning(self) -> Meaning:
        """The meaning of its numbers, as stored."""
        return Meaning(
            self.unit, self.frame == "comoving", self.a_exponent, self.file.scale_factor, bool(self.info.get("convertible", True)),
            self.description, self.info.get("lossy_filter"),
        )  # fmt: skip

    @property
    def units(self) -> Any:
        """Its unit, of the package that its values have units of; None if the file does not say."""
        return unit_of(self.unit, self.file.connection.arrays)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=object))

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize

    def read(self, rows: Rows = None, columns: int | str | Iterable[int | str] | None = None, arrays: Kind | None = None) -> Any:
        """Its values, all or of these rows and columns (by index, or by name if they have names), with unit and frame.

        `rows` are half-open ranges: a slice, a pair, or several of either. `arrays` as in `connect`; by default, as the connection was made.
        """
        taken: Any = columns
        if isinstance(columns, str):
            taken = self._index_of(columns)
        elif columns is not None and not isinstance(columns, int):
            taken = [self._index_of(column) for column in columns]
        return self._dressed(self._bounded(rows), taken if self._column is None else self._column, arrays)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, tuple) and len(key) == 2 and isinstance(key[1], str):
            key = (key[0], self._index_of(key[1]))
        row_bytes = self.dtype.itemsize * int(np.prod(self.shape[1:], dtype=object)) if self.shape else 0
        found = plan(key, self.shape, row_bytes)
        values = self._dressed(found.rows, found.columns if self._column is None else self._column)
        if not found.index:
            return values
        picked = values[found.index]
        # What was read besides is not kept.
        return picked.copy() if getattr(picked, "nbytes", 0) < values.nbytes and np.ndim(picked) else picked

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or "columns" not in self.__dict__:
            raise AttributeError(name)
        if name in self.columns:
            return Field(self.file, self.info, self.columns.index(name))
        if not hasattr(_example(self.file.connection.arrays), name):
            known = [*self.columns, *(name for name in dir(self) if not name.startswith("_"))]
            raise AttributeError(str(errors.missing(f"{self.file.path}: {self.path}", "attribute", name, known)))
        return getattr(self._whole, name)

    @functools.cached_property
    def _whole(self) -> Any:
        """All values, kept for numpy's functions; not to be written to, since a later use would see it."""
        values = self.read()
        values.flags.writeable = False
        return values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if copy is False:
            raise ValueError(f"{self.path}: the values are on the server, so that an array of them is always a copy")
        return np.asarray(self.read(arrays="numpy"), dtype)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **named: Any) -> Any:
        return getattr(ufunc, method)(*map(_whole, inputs), **{name: _whole(value) for name, value in named.items()})

    def __array_function__(self, function: Any, types: Any, arguments: Any, named: Any) -> Any:
        if function in (np.shape, np.ndim, np.size) and len(arguments) == 1 and arguments[0] is self and not named:
            return getattr(self, function.__name__)
        return function(*_whole(arguments), **_whole(named))

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError(f"{self.path} is a scalar, which has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        step = max(1, ITERATED_BYTES * len(self) // max(self.nbytes, 1))
        for start in range(0, len(self), step):
            yield from self[start : start + step]

    def __bool__(self) -> bool:
        return bool(self._whole)

    def __dir__(self) -> Iterable[str]:
        return [*super().__dir__(), *self.columns, *(name for name in dir(_example(self.file.connection.arrays)) if not name.startswith("_"))]

    def __repr__(self) -> str:
        return f"<apus.Field {self.path}: {self.dtype.str} {self.shape}, {self.unit or 'no unit'}, {self.frame}: {self.description}>"

    def _dressed(self, rows: Rows, columns: Any, arrays: Kind | None = None) -> Any:
        connection = self.file.connection
        return dress(connection.data(self.file.path, self.path, rows, columns), self.meaning, arrays or connection.arrays)

    def _bounded(self, rows: Rows) -> Rows:
        """A slice, as Python takes it: open ends, ends from behind and ends past the end."""
        if not isinstance(rows, slice) or rows == slice(None) or not self.shape:
            return rows
        start, end, step = rows.indices(self.shape[0])
        return slice(start, max(start, end), step)

    def _index_of(self, column: int | str) -> int:
        if not isinstance(column, str):
            return int(column)
        if column in self.columns:
            return self.columns.index(column)
        raise errors.missing(self.path, "column", column, self.columns)


class FieldGroup(Protocol):
    """A group, as selections and pictures know it."""

    name: str
    path: str
    fields: dict[str, Field]

    def find(self, name: str) -> Field | None: ...


class Described(Source, Protocol):
    """A file, as selections and pictures know it."""

    @property
    def groups(self) -> Mapping[str, FieldGroup]: ...

    @property
    def length_unit(self) -> str | None: ...


def _whole(value: Any) -> Any:
    """The value with all its fields read."""
    if isinstance(value, Field):
        return value._whole
    if isinstance(value, (list, tuple)):
        return type(value)(map(_whole, value)) if type(value) in (list, tuple) else value
    if isinstance(value, dict):
        return {name: _whole(item) for name, item in value.items()}
    return value


def _dtype(described: Any) -> np.dtype[Any]:
    """The type as numpy has it, of what the server says: a name, or a list of members."""
    if described is None:
        return np.dtype(object)
    if isinstance(described, str):
        return np.dtype(described)
    return np.lib.format.descr_to_dtype([(name, _descr(member), *(tuple(extents) for extents in shape)) for name, member, *shape in described])


def _descr(member: Any) -> Any:
    return (
        member if isinstance(member, str) else [(name, _descr(inner), *(tuple(extents) for extents in shape)) for name, inner, *shape in member]
    )


@functools.cache
def _example(kind: Kind) -> Any:
    """An array of that kind, which has the attributes that values have."""
    return dress(np.zeros(1), Meaning("1", False, 0.0, 1.0), kind)
