"""What the server selects: several fields of the rows that lie somewhere and satisfy something, in one request."""

from __future__ import annotations

import io
import json
import os
import pathlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from . import errors, tables
from .field import Described, Field
from .npz import read_archive
from .pictured import Pictured
from .quantity import Kind, Meaning, dress
from .saving import save
from .stream import Stream

# The form that a file's suffix asks for.
FORM_BY_SUFFIX = {
    ".hdf5": "hdf5", ".h5": "hdf5", ".parquet": "parquet", ".csv": "csv", ".npz": "npz", ".json": "json", ".arrows": "arrow",
}  # fmt: skip


class Values(Mapping[str, Any]):
    """Arrays by name, also as attributes: `values.coordinates` is `values["coordinates"]`, `values.gas.masses` is `values["gas.masses"]`."""

    def __init__(self, arrays: dict[str, Any]) -> None:
        self._arrays = arrays

    def __getitem__(self, name: str) -> Any:
        try:
            return self._arrays[name]
        except KeyError:
            raise errors.NotFound(f"{name!r} was not asked for; there are {', '.join(self._arrays)}") from None

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_"):
            if name in self._arrays:
                return self._arrays[name]
            within = {key[len(name) + 1 :]: array for key, array in self._arrays.items() if key.startswith(f"{name}.")}
            if within:
                return Values(within)
        raise AttributeError(name)

    def __dir__(self) -> Iterable[str]:
        return [*super().__dir__(), *(name.split(".")[0] for name in self._arrays)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __repr__(self) -> str:
        shown = (f"{name}: {array.dtype} {array.shape}" for name, array in self._arrays.items())
        return f"<apus.Values {', '.join(shown)}>"


class Selection(Pictured, Mapping[str, Any]):
    """A selection of a file. Nothing is requested until something of it is used; then all its fields come in one request, and are kept.

    A mapping from the fields' names, as given to `select`, to their values; also as attributes. Of several types, `selection["gas"]` is the
    selection of that one. `to_pandas`, `to_arrow`, `hdf5` and `save` request the format that they need.
    """

    def __init__(
        self, file: Described, names: Mapping[str, str], asked: dict[str, Any], arrays: Kind | None, part_of: tuple[Selection, str] | None = None
    ) -> None:
        self.file = file
        # The body of a POST to /v1/select (without `format`).
        self.asked = asked
        self._names = dict(names)
        self._arrays = arrays
        # The selection of several types that has the values, and the type.
        self._part_of = part_of
        self._values: Values | None = None
        self._n_rows: dict[str, int] = {}

    def read(self) -> Values:
        """Its values, requested the first time, kept for later.

        Errors: `BadRequest` for what the server does not understand; `TooLarge`; `Broken`.
        """
        if self._values is None and self._part_of is not None:
            whole, kind = self._part_of
            self._values = Values({self._name(name): array for name, array in whole._by_served_name().items() if self._type_of(name) == kind})
            self._n_rows = {name: n for name, n in whole.n_rows.items() if name == kind}
        if self._values is None:
            with self._stream("npz") as stream:
                plain = read_archive(stream)
                headers = stream.headers
            meanings = self._meanings(plain, headers.get("Apus-Fields"))
            kind = self._arrays or self.file.connection.arrays
            self._n_rows = {name: int(n) for name, _, n in (part.partition("=") for part in headers.get("Apus-Rows", "").split(",")) if n}
            self._values = Values({self._name(name): dress(array, meanings[name], kind) for name, array in plain.items()})
            self._served_names = dict(zip(self._values, plain))
        return self._values

    def _pictured(self, kind: str | None) -> tuple[Described, str, dict[str, Any]]:
        if kind is None and len(self.types) > 1:
            raise errors.BadRequest(f"this selection is of {' and '.join(self.types)}: say which with type={self.types[0]!r}")
        return self.file, kind or self.types[0], {name: value for name, value in self.asked.items() if name not in ("fields", "unit", "frame")}

    def _by_served_name(self) -> dict[str, Any]:
        return {self._served_names[name]: array for name, array in self.read().items()}

    @property
    def types(self) -> list[str]:
        """The types whose rows it has, in the order of the fields."""
        return list(dict.fromkeys(map(self._type_of, self._names.values())))

    def _type_of(self, served: str) -> str:
        if served.startswith("/"):
            path = served.partition(".")[0]
            return next((group.name for group in self.file.groups.values() if path.startswith(f"{group.path}/")), path)
        first = served.partition(".")[0]
        return next((group.name for group in self.file.groups.values() if group.path == f"/{first}"), first)

    def _of_type(self, kind: str) -> Selection:
        """The part of it that is of one type. Its values are those of the whole; formats are requested of it alone."""
        names = {name.removeprefix(f"{kind}."): served for name, served in self._names.items() if self._type_of(served) == kind}
        return Selection(self.file, names, self.asked | {"fields": list(names.values())}, self._arrays, (self, kind))

    def _is_type(self, name: str) -> bool:
        return name not in self._names and len(self.types) > 1 and name in self.types

    @property
    def n_rows(self) -> dict[str, int]:
        """How many rows of each type there are."""
        self.read()
        return self._n_rows

    def explain(self) -> dict[str, Any]:
        """What it would take, without reading values: rows, bytes and chunks of each field (see the server's docs/select.md)."""
        connection = self.file.connection
        explained: dict[str, Any] = connection._transport.post_json("/v1/select/", self.file.path, self.asked | {"explain": True})
        return explained

    def to_arrow(self) -> Any:
        """A pyarrow.Table, units and cosmology in its schema's metadata.

        Errors: `BadRequest` for a selection of several types, since their rows do not belong together.
        """
        self._check_table("to_arrow")
        with self._stream("arrow") as stream:
            table = tables.read_arrow(stream)
        renamed = table.rename_columns([self._name(name) for name in table.column_names])
        return renamed.replace_schema_metadata(table.schema.metadata)

    def to_pandas(self) -> Any:
        """A pandas.DataFrame; columns of a field are columns of their own (`coordinates.x`), `attrs["units"]` has the unit of each.

        Errors: `BadRequest` for a selection of several types, since their rows do not belong together.
        """
        self._check_table("to_pandas")
        named = {}
        for name, array in self.read().items():
            field, column = self._field(self._names.get(name, f"{self.types[0]}.{name}"))
            named[name] = (array, field.columns if field is not None and not column else [])
        return tables.data_frame(named, {"file": self.file.path})

    def _check_table(self, method: str) -> None:
        if len(self.types) > 1:
            raise errors.BadRequest(
                f"a table has the rows of one type, and this selection is of {' and '.join(self.types)}: take one, as in selection[{self.types[0]!r}].{method}()"
            )

    def hdf5(self) -> Any:
        """A snapshot of it in memory, as an open h5py.File: what swiftsimio.load, swiftsimio.mask and swiftgalaxy take in place of a file's name."""
        try:
            import h5py
        except ImportError as error:
            raise ImportError("this needs the package h5py: pip install h5py") from error
        with self._stream("hdf5") as stream:
            content = bytearray(stream.size_bytes or 0)
            stream.read_into(memoryview(content))
            stream.finish()
        return h5py.File(io.BytesIO(content), "r")

    def swiftsimio(self) -> Any:
        """It as a dataset of swiftsimio in memory, for its visualisation and others: `project_gas(selection.swiftsimio(), resolution=512)`.

        It has the selected fields: to project gas, select `coordinates`, `masses` and `smoothing_lengths`.
        """
        try:
            import swiftsimio
        except ImportError as error:
            raise ImportError("this needs the package swiftsimio, version 12 or newer: pip install swiftsimio") from error
        return swiftsimio.load(self.hdf5())

    def save(self, target: str | os.PathLike[str], *, overwrite: bool = False) -> pathlib.Path:
        """Writes it to a file in the format of the file's suffix: .hdf5 is a snapshot that swiftsimio opens; .parquet, .csv, .npz, .json; .arrows
        an Arrow stream. Snapshots and npz resume if the connection breaks, or when the same call is repeated.

        Errors: ValueError for another suffix; FileExistsError, unless `overwrite`; those of `read`.
        """
        place = pathlib.Path(target)
        form = FORM_BY_SUFFIX.get(place.suffix.lower())
        if form is None:
            raise ValueError(f"{place}: no form has the suffix {place.suffix!r}; there are {', '.join(FORM_BY_SUFFIX)}")
        if place.exists() and not overwrite:
            raise FileExistsError(f"{place} is there already; overwrite=True replaces it")
        return save(lambda position, tag: self._stream(form, position, tag), place, lambda _: place, overwrite=overwrite)

    def _stream(self, form: str, position: int = 0, tag: str | None = None) -> Stream:
        connection = self.file.connection
        # Of a file that does not exist, it is the catalogue that was named.
        with connection._naming_the_nearest(self.asked.get("catalogue", "")):
            return Stream(
                connection._transport, "/v1/select/", self.file.path, body=self.asked | {"format": form}, position=position, tag=tag,
                progress=connection.progress,
            )  # fmt: skip

    def _name(self, served: str) -> str:
        """The name that a field of an answer was asked for by."""
        for name, sent in self._names.items():
            if sent == served:
                return name
        kind = self._type_of(served)
        is_short = any("." not in name for name, sent in self._names.items() if sent == f"{kind}.*")
        return served.removeprefix(f"{kind}.") if is_short else served

    def _meanings(self, names: Iterable[str], note: str | None) -> dict[str, Meaning]:
        # A long note is left out; the explanation tells the same.
        notes = json.loads(note) if note else [field for group in self.explain()["groups"] for field in group["fields"]]
        told = {note["name"]: note for note in notes}
        return {name: self._meaning(name, told.get(name, {})) for name in names}

    def _meaning(self, served: str, told: dict[str, Any]) -> Meaning:
        field, _ = self._field(served)
        if field is None:
            a_exponent = float(told.get("a_exponent", 0.0))
            return Meaning(told.get("unit"), told.get("frame") == "comoving", a_exponent, self.file.scale_factor)
        return replace(
            field.meaning, unit=told.get("unit"), comoving=told.get("frame") == "comoving", a_exponent=told.get("a_exponent", field.a_exponent)
        )

    def _field(self, served: str) -> tuple[Field | None, str]:
        """The field that a name of the server means, and the rest of the name, which is a column of it."""
        if served.startswith("/"):
            path, _, column = served.partition(".")
            fields = (field for group in self.file.groups.values() for field in group.fields.values())
            return next((field for field in fields if field.path == path), None), column
        name, _, column = served.partition(".")[2].partition(".")
        group = self.file.groups.get(self._type_of(served))
        return (None if group is None else group.find(name)), column

    def __getitem__(self, name: str) -> Any:
        return self._of_type(name) if self._is_type(name) else self.read()[name]

    def __getattr__(self, name: str) -> Any:
        # Only what can be a field is worth a request: shells and notebooks look for many other names.
        if name.startswith("_") or not self._can_have(name):
            known = dict.fromkeys(name.split(".")[0] for name in self.__dict__.get("_names", ()))
            raise AttributeError(f"{name!r} is not selected; there are {', '.join(known)}")
        return self._of_type(name) if self._is_type(name) else getattr(self.read(), name)

    def _can_have(self, name: str) -> bool:
        if any(sent.endswith(".*") for sent in self._names.values()):
            return name in self.file.groups or any(name in group.fields for group in self.file.groups.values())
        return any(asked.split(".")[0] == name for asked in self._names)

    def __dir__(self) -> Iterable[str]:
        shown = [name.split(".")[0] for name in self._names if name != "*"]
        if "*" in self._names:
            shown += self.file.groups[self._type_of(self._names["*"])].fields
        return [*super().__dir__(), *shown]

    def _ipython_key_completions_(self) -> list[str]:
        return [*self._names, *(self.types if len(self.types) > 1 else ())]

    def __iter__(self) -> Iterator[str]:
        return iter(self.read())

    def __len__(self) -> int:
        return len(self.read())

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={_shortened(value)}" for name, value in self.asked.items() if name != "fields")
        return f"<apus.Selection of {self.file.path}: {', '.join(self._names)}{' where ' if told else ''}{told}>"


def _shortened(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
