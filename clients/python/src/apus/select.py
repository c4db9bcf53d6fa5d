"""What the server selects: several fields of the rows that lie somewhere and satisfy something, in one request."""

from __future__ import annotations

import json
import os
import pathlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from . import errors, tables
from .npz import read_archive
from .quantity import Kind, Meaning, dress
from .saving import save
from .stream import Stream

if TYPE_CHECKING:
    from .file import Field, File

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


class Selection(Mapping[str, Any]):
    """A selection of a file. Nothing is asked before something of it is used; then all its fields come in one request, and stay.

    A mapping from the fields' names, as they were asked for, to their values; also as attributes. `to_pandas`, `to_arrow` and `save` ask the
    server for the form that they need.
    """

    def __init__(self, file: File, names: Mapping[str, str], asked: dict[str, Any], arrays: Kind | None, prefix: str = "") -> None:
        self.file = file
        # What the server is asked, as the body of a POST to /v1/select (without `format`).
        self.asked = asked
        self._names = dict(names)
        self._prefix = prefix
        self._arrays = arrays
        self._values: Values | None = None
        self._n_rows: dict[str, int] = {}

    def read(self) -> Values:
        """Its values, asked for the first time, remembered later.

        Errors: `BadRequest` for what the server does not understand, `NotFound` for unknown fields, with the nearest; `TooLarge`; `Broken`.
        """
        if self._values is None:
            with self._stream("npz") as stream:
                plain = read_archive(stream)
                headers = stream.headers
            meanings = self._meanings(plain, headers.get("Apus-Fields"))
            kind = self._arrays or self.file.connection.arrays
            self._n_rows = {name: int(n) for name, _, n in (part.partition("=") for part in headers.get("Apus-Rows", "").split(",")) if n}
            self._values = Values({self._name(name): dress(array, meanings[name], kind) for name, array in plain.items()})
        return self._values

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
        """A pyarrow.Table, units and cosmology in its schema's metadata. The fields must be of one type."""
        with self._stream("arrow") as stream:
            table = tables.read_arrow(stream)
        renamed = table.rename_columns([self._name(name) for name in table.column_names])
        return renamed.replace_schema_metadata(table.schema.metadata)

    def to_pandas(self) -> Any:
        """A pandas.DataFrame; columns of a field are columns of their own (`coordinates.x`), `attrs["units"]` has the unit of each.

        The fields must be of one type, since they stand beside each other.
        """
        named = {}
        for name, array in self.read().items():
            field, _ = self._field(self._names.get(name, self._prefix + name))
            named[name] = (array, field.columns if field is not None else [])
        return tables.data_frame(named, {"file": self.file.path})

    def save(self, target: str | os.PathLike[str], *, overwrite: bool = False) -> pathlib.Path:
        """Writes it to a file in the form of the file's suffix: .hdf5 is a snapshot that swiftsimio opens; .parquet, .csv, .npz, .json; .arrows
        an Arrow stream. Snapshots and npz go on where they stopped when the connection breaks, or when the same is asked for again.

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
        return Stream(
            connection._transport, "/v1/select/", self.file.path, body=self.asked | {"format": form}, position=position, tag=tag,
            progress=connection.progress,
        )  # fmt: skip

    def _name(self, served: str) -> str:
        """The name that a field of an answer was asked for by."""
        for name, sent in self._names.items():
            if sent == served:
                return name
        return served.removeprefix(self._prefix)

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
        group_name, _, rest = served.partition(".")
        group = self.file.groups.get(group_name)
        if group is not None:
            name, _, column = rest.partition(".")
            return group.fields.get(name), column
        for group in self.file.groups.values():
            for field in group.fields.values():
                if field.path == served:
                    return field, ""
        return None, ""

    def __getitem__(self, name: str) -> Any:
        return self.read()[name]

    def __getattr__(self, name: str) -> Any:
        # Only what can be a field is worth a request: shells and notebooks look for many other names.
        if name.startswith("_") or not self._can_have(name):
            raise AttributeError(name)
        return getattr(self.read(), name)

    def _can_have(self, name: str) -> bool:
        if any("*" in sent for sent in self._names.values()):
            return name in self.file.groups or any(name in group.fields for group in self.file.groups.values())
        return any(asked.split(".")[0] == name for asked in self._names)

    def __dir__(self) -> Iterable[str]:
        return [*super().__dir__(), *(name.split(".")[0] for name in self._names if "*" not in name)]

    def __iter__(self) -> Iterator[str]:
        return iter(self.read())

    def __len__(self) -> int:
        return len(self.read())

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={_shortened(value)}" for name, value in self.asked.items() if name != "fields")
        return f"<apus.Selection of {self.file.path}: {', '.join(self._names)}{' where ' if told else ''}{told}>"


def whole_numbers(ids: Any, what: str) -> list[int]:
    """Ids, of a list or an array of any kind, as numbers for JSON."""
    found = np.asarray(ids)
    if found.size and found.dtype.kind not in "iu":
        raise TypeError(f"{what}: {found.dtype} are no whole numbers")
    return [int(number) for number in found.ravel()]


def unit_text(unit: Any) -> str:
    """A unit of any package, or its text, as text that all of them read: factors are joined by `*`."""
    for name in ("units", "unit"):
        if hasattr(unit, name) and hasattr(unit, "to_value"):
            # unyt.Msun is a quantity: so many kilogrammes.
            return f"{float(unit.value)!r}*{unit_text(getattr(unit, name))}"
    return re.sub(r"(?<=[\w.)])\s+(?=[\w(])", "*", str(unit).strip())


def unit_texts(value: Any) -> list[str]:
    """One unit, or several."""
    return [unit_text(item) for item in value] if isinstance(value, (list, tuple)) else [unit_text(value)]


def _shortened(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
