"""A group of fields: the particles of a type, the groups of a catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from . import errors
from .field import Described, Field
from .selectable import Selectable


class Group(Selectable, Mapping[str, Field]):
    """Fields with one row each for the same things: particles of a type, groups of a catalogue.

    A mapping from swiftsimio's names to fields, which are also attributes: `gas.coordinates`. The file's own names work too:
    `gas["Coordinates"]`.
    """

    # Two groups are equal if they are the same one: their fields compare element by element.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __init__(self, file: Described, info: dict[str, Any]) -> None:
        self.file = file
        self.info = info
        self.name: str = info["name"]
        self.path: str = "/" + info["group"]
        self.n_rows: int = info["n_rows"]
        self.fields = {field["name"]: Field(file, field) for field in info["fields"]}

    def find(self, name: str) -> Field | None:
        """The field of that name, swiftsimio's or the file's; None if there is none."""
        if name in self.fields:
            return self.fields[name]
        return next((field for field in self.fields.values() if name in (field.path, field.path.rpartition("/")[2])), None)

    def __getitem__(self, name: str) -> Field:
        field = self.find(name)
        if field is None:
            raise errors.missing(f"{self.file.path}: {self.name}", "field", name, self.fields)
        return field

    def __getattr__(self, name: str) -> Field:
        if name.startswith("_") or name == "fields":
            raise AttributeError(name)
        try:
            return self[name]
        except errors.NotFound as error:
            raise AttributeError(str(error)) from None

    def _described(self) -> Described:
        return self.file

    def _pictured(self, kind: str | None) -> tuple[Described, str, dict[str, Any]]:
        if kind not in (None, self.name):
            raise errors.BadRequest(f"type={kind!r}: this is {self.name}")
        return self.file, self.name, {}

    def _served(self, field: str) -> str:
        if field.startswith("/"):
            return field
        name, dot, column = field.partition(".")
        found = None if name in self.fields else self.find(name)
        # A name of the file's own is sent as the path that it is of, which the server answers with.
        return f"{self.name}.{field}" if found is None else f"{found.path}{dot}{column}"

    def __contains__(self, name: object) -> bool:
        return name in self.fields

    def __iter__(self) -> Iterator[str]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def __dir__(self) -> Iterable[str]:
        return [*super().__dir__(), *self.fields]

    def _ipython_key_completions_(self) -> list[str]:
        return list(self.fields)

    def __repr__(self) -> str:
        return f"<apus.Group {self.name} of {self.file.path}: {self.n_rows} rows of {', '.join(self.fields)}>"
