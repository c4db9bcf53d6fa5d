"""A file, its groups under swiftsimio's names, and their fields."""

from __future__ import annotations

import difflib
import os
import pathlib
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from . import errors
from .npy import Array
from .quantity import Kind, Meaning, dress
from .region import Lengths, Scale, aperture_text, boxes, spheres
from .rows import Rows
from .select import Selection, unit_text, unit_texts, whole_numbers

if TYPE_CHECKING:
    from .connection import Connection


class File:
    """A file on the server. `file.gas` or `file["gas"]` is a group; `info` all that `/v1/info` tells.

    It is also what swiftsimio and swiftgalaxy take as an open file, as far as the package hdfstream is there: `swiftsimio.load(file)`. For them
    paths in the file (`file["PartType0/Coordinates"]`, `file["Header"].attrs`) are objects as h5py has them.

    Made by `Connection.open`, which asks once what the file holds; a file that is replaced has to be opened anew.
    """

    def __init__(self, connection: Connection, path: str, info: dict[str, Any]) -> None:
        self.connection = connection
        self.path = path
        self.info = info
        self._handle: Any = None
        self.groups = {group["name"]: Group(self, group) for group in info.get("groups", ()) if group.get("present")}

    @property
    def kind(self) -> str:
        """What it is: `snapshot`, `fof_catalogue`, `soap_catalogue`, `line_of_sight`, `subsampled`, `not_swift` ..."""
        kind = self.info.get("kind")
        return kind if isinstance(kind, str) else str((kind or {}).get("other", "unknown"))

    @property
    def header(self) -> dict[str, Any]:
        """The header: `redshift`, `box_size`, `n_part_total` ...; empty where SWIFT did not write the file."""
        return self.info.get("header") or {}

    @property
    def scale_factor(self) -> float | None:
        """The scale factor; None where the file has none."""
        return self.header.get("scale_factor")

    @property
    def length_unit(self) -> str | None:
        """The unit of the file's lengths, as unyt and astropy parse it."""
        return ((self.info.get("units") or {}).get("names") or {}).get("length")

    def object(self, object: str = "/") -> dict[str, Any]:
        """One HDF5 object as it stands in the file."""
        return self.connection.object(self.path, object)

    def data(self, object: str, rows: Rows = None, columns: int | Iterable[int] | None = None) -> Array:
        """The values of any dataset, by its HDF5 path, as `Connection.data` gives them."""
        return self.connection.data(self.path, object, rows, columns)

    def download(self, target: str | os.PathLike[str] | None = None, *, overwrite: bool = False) -> pathlib.Path:
        """Copies the whole file, as `Connection.download` does."""
        return self.connection.download(self.path, target, overwrite=overwrite)

    def select(
        self,
        *fields: str,
        box: Lengths = None,
        sphere: Lengths = None,
        region_unit: Any = None,
        region_frame: str | None = None,
        group: int | None = None,
        groups: Any = None,
        catalogue: File | str | None = None,
        aperture: Any = None,
        members: bool | None = None,
        rows: str | None = None,
        where: str | Iterable[str] | None = None,
        ids: Any = None,
        sample: float | None = None,
        stride: int | None = None,
        limit: int | None = None,
        unit: Any = None,
        frame: str | None = None,
        arrays: Kind | None = None,
    ) -> Selection:
        """What the server selects of the file, in one request; nothing is asked before something of it is used.

        `fields` are swiftsimio's names with their type (`gas.coordinates`, `stars.*`, `gas.velocities.x`), or paths. All that follows is
        optional, and what is said must hold together; the server's docs/select.md has it in full:

        `box`: six bounds `[xmin, xmax, ymin, ymax, zmin, zmax]` or three pairs; None is an open side, an upper bound below the lower one means
        the part across the boundary. `sphere`: `(x, y, z, radius)` or `(centre, radius)`. Lists of them are joined. With units (cosmo_array,
        unyt, astropy) they are converted, and a cosmo_array that is physical is made comoving; plain numbers, and units without a frame, are in
        `region_unit` (the file's length) and `region_frame` (`comoving`).
        `group`, `groups`: the id of a halo, or of several, whose rows are joined. `catalogue`: the file of FOF groups or of SOAP where they are
        looked up, or its path. Without `aperture`: the members of the halos; with it, all rows so far about their centres, or their members
        there with `members=True`: a radius that the catalogue has (`"r200c"`), a length with a unit as for `sphere`, its text
        (`"500 kpc physical"`), or a number (the file's length, comoving).
        `rows`: `particles` for those inside, `cells` for all of the cells that the region touches, as swiftsimio's masks have them.
        `where`: a condition, or several: `"temperatures > 1e5 K and metal_mass_fractions > 0.01"`.
        `ids`: only these particles. `sample`: a fraction, always the same particles. `stride`, `limit`: every n-th row, at most so many.
        `unit`: units of the answer, each for the fields of its dimensions. `frame`: `comoving` or `physical`. Without them values come as stored.
        `arrays`: as in `connect`.
        """
        if not fields:
            raise TypeError('select() needs fields: "gas.coordinates", "gas.*"')
        asked: dict[str, Any] = {"fields": list(fields)}
        scale = Scale(unit_text(region_unit) if region_unit is not None else self.length_unit, region_frame == "physical", self.scale_factor)
        if box is not None:
            asked["box"] = boxes(box, scale)
        if sphere is not None:
            asked["sphere"] = spheres(sphere, scale)
        if ids is not None:
            asked["ids"] = whole_numbers(ids, "ids")
        if group is not None:
            asked["group"] = whole_numbers(group, "group")
        if groups is not None:
            asked["groups"] = whole_numbers(groups, "groups")
        if catalogue is not None:
            asked["catalogue"] = catalogue.path if isinstance(catalogue, File) else catalogue
        if aperture is not None:
            asked["aperture"] = aperture_text(aperture, Scale(self.length_unit, False, self.scale_factor))
        if where is not None:
            asked["where"] = where if isinstance(where, str) else list(where)
        if unit is not None:
            asked["unit"] = unit_texts(unit)
        if region_unit is not None:
            asked["region_unit"] = unit_text(region_unit)
        said = {"region_frame": region_frame, "members": members, "rows": rows, "sample": sample, "stride": stride, "limit": limit, "frame": frame}
        asked |= {name: value for name, value in said.items() if value is not None}
        return Selection(self, {field: field for field in fields}, asked, arrays)

    def hdfstream(self) -> Any:
        """The file as the package hdfstream opens it: what swiftsimio and swiftgalaxy take as an open file. The same at every call, since
        swiftsimio wants a mask and its dataset to be of the same handle."""
        if self._handle is not None:
            return self._handle
        try:
            import hdfstream
        except ImportError as error:
            raise ImportError("this needs the package hdfstream: pip install hdfstream") from error
        name, secret = self.connection._transport.credentials
        # A connection of its own: hdfstream.open would share it with others of the same name, whatever their secret. Encoded here, since
        # requests takes text for Latin-1.
        account = (name.encode(), secret.encode()) if secret is not None else ()
        self._handle = hdfstream.RemoteFile(hdfstream.Connection(f"{self.connection.url}/hdfstream", *account), f"/{self.path}")
        return self._handle

    def swiftsimio(self, mask: Any = None) -> Any:
        """The file as `swiftsimio.load` gives it, fields loaded as they are used; `mask` as swiftsimio.mask makes it of `hdfstream()`."""
        try:
            import swiftsimio
        except ImportError as error:
            raise ImportError("this needs the package swiftsimio, version 12 or newer: pip install swiftsimio") from error
        return swiftsimio.load(self.hdfstream(), mask=mask)

    @property
    def filename(self) -> str:
        """Its name, as an open file of h5py or hdfstream has it."""
        return f"/{self.path}"

    @property
    def attrs(self) -> Any:
        """The attributes of the file's root."""
        return self.hdfstream().attrs

    def keys(self) -> Any:
        """The members of the file's root."""
        return self.hdfstream().keys()

    def get(self, path: str, getlink: bool = False) -> Any:
        """An object in the file, or with `getlink` a link, as h5py's files give it."""
        return self.hdfstream().get(path, getlink=getlink)

    def visititems(self, visit: Any) -> Any:
        """Calls `visit(name, object)` for all that is in the file."""
        return self.hdfstream().visititems(visit)

    def __contains__(self, name: Any) -> bool:
        return name in self.groups or name in self.hdfstream()

    def __getattr__(self, name: str) -> Group:
        if name.startswith("_") or name == "groups":
            raise AttributeError(name)
        if name in self.groups:
            return self.groups[name]
        raise AttributeError(_missing(self.path, "group", name, self.groups))

    def __getitem__(self, name: str) -> Any:
        if name in self.groups:
            return self.groups[name]
        if self._is_path(name):
            return self.hdfstream()[name]
        raise errors.NotFound(_missing(self.path, "group", name, self.groups))

    def _is_path(self, name: str) -> bool:
        """Whether it is a path in the file rather than one of swiftsimio's names, none of which has a capital letter."""
        return "/" in name or name != name.lower()

    def __dir__(self) -> Iterable[str]:
        return [*super().__dir__(), *self.groups]

    def __repr__(self) -> str:
        return f"<apus.File {self.path}: {self.kind} with {', '.join(self.groups) or 'no groups of fields'}>"


class Group(Mapping[str, "Field"]):
    """Fields with one row each for the same things: particles of a type, groups of a catalogue. A mapping from swiftsimio's names to fields."""

    def __init__(self, file: File, info: dict[str, Any]) -> None:
        self.file = file
        self.info = info
        self.name: str = info["name"]
        self.path: str = "/" + info["group"]
        self.n_rows: int = info["n_rows"]
        self.fields = {field["name"]: Field(self, field) for field in info["fields"]}

    def __getitem__(self, name: str) -> Field:
        if name in self.fields:
            return self.fields[name]
        for field in self.fields.values():
            if name in (field.path, field.path.rsplit("/", 1)[-1]):
                return field
        raise errors.NotFound(_missing(f"{self.file.path}: {self.name}", "field", name, self.fields))

    def select(
        self,
        *fields: str,
        box: Lengths = None,
        sphere: Lengths = None,
        region_unit: Any = None,
        region_frame: str | None = None,
        group: int | None = None,
        groups: Any = None,
        catalogue: File | str | None = None,
        aperture: Any = None,
        members: bool | None = None,
        rows: str | None = None,
        where: str | Iterable[str] | None = None,
        ids: Any = None,
        sample: float | None = None,
        stride: int | None = None,
        limit: int | None = None,
        unit: Any = None,
        frame: str | None = None,
        arrays: Kind | None = None,
    ) -> Selection:
        """As `File.select`, of this type alone: `fields` are named without it (`coordinates`, `*`, `velocities.x`), and so are the values."""
        names = {field: self._served(field) for field in fields}
        selection = self.file.select(
            *names.values(), box=box, sphere=sphere, region_unit=region_unit, region_frame=region_frame, group=group, groups=groups,
            catalogue=catalogue, aperture=aperture, members=members, rows=rows, where=where, ids=ids, sample=sample, stride=stride, limit=limit,
            unit=unit, frame=frame, arrays=arrays,
        )  # fmt: skip
        return Selection(self.file, names, selection.asked, arrays, prefix=f"{self.name}.")

    def _served(self, name: str) -> str:
        """The name of a field that the server knows."""
        if "/" in name:
            return name
        if name not in self.fields:
            for field in self.fields.values():
                if name == field.path.rsplit("/", 1)[-1]:
                    return field.path
        return f"{self.name}.{name}"

    def __contains__(self, name: object) -> bool:
        return name in self.fields

    def __iter__(self) -> Iterator[str]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def __repr__(self) -> str:
        return f"<apus.Group {self.name} of {self.file.path}: {self.n_rows} rows of {', '.join(self.fields)}>"


class Field:
    """A dataset of a group. `field[a:b]` reads rows, `field[:]` all of them, with the unit."""

    def __init__(self, group: Group, info: dict[str, Any]) -> None:
        self.group = group
        self.info = info
        self.name: str = info["name"]
        self.path: str = info["path"]
        self.dtype: str = info["dtype"]
        self.shape: tuple[int, ...] = tuple(info["shape"])
        self.unit: str | None = (info.get("unit") or {}).get("name")
        self.frame: str = info["frame"]
        self.a_exponent: float = info["a_exponent"]
        self.description: str | None = info.get("description")
        self.columns: list[str] = (info.get("named_columns") or {}).get("names", [])

    @property
    def meaning(self) -> Meaning:
        """What its numbers are, as stored."""
        return Meaning(
            self.unit, self.frame == "comoving", self.a_exponent, self.group.file.scale_factor, bool(self.info.get("convertible", True)),
            self.description, self.info.get("lossy_filter"),
        )  # fmt: skip

    def read(self, rows: Rows = None, columns: int | str | Iterable[int | str] | None = None, arrays: Kind | None = None) -> Any:
        """Its values, all or of these rows and columns (by index, or by name where they have names), with unit and frame.

        `arrays` as in `connect`; without it, as the connection was made.
        """
        file = self.group.file
        taken: Any = columns
        if isinstance(columns, str):
            taken = self._column(columns)
        elif columns is not None and not isinstance(columns, int):
            taken = [self._column(column) for column in columns]
        return dress(file.data(self.path, self._bounded(rows), taken), self.meaning, arrays or file.connection.arrays)

    def _bounded(self, rows: Rows) -> Rows:
        """A slice, as Python takes it: open ends, ends from behind and ends past the end."""
        if not isinstance(rows, slice) or rows == slice(None) or not self.shape:
            return rows
        start, end, step = rows.indices(self.shape[0])
        return slice(start, max(start, end), step)

    def _column(self, column: int | str) -> int:
        if not isinstance(column, str):
            return int(column)
        if column in self.columns:
            return self.columns.index(column)
        raise errors.NotFound(_missing(self.path, "column", column, self.columns))

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, tuple) and len(key) == 2 and isinstance(key[1], (int, str)):
            return self.read(key[0], key[1])
        if isinstance(key, slice):
            return self.read(key)
        if key is Ellipsis or key == ():
            return self.read()
        raise TypeError(f"{self.name}[{key!r}]: give a slice of rows, or a slice and a column; read() takes more")

    def __len__(self) -> int:
        return self.shape[0] if self.shape else 0

    def __repr__(self) -> str:
        return f"<apus.Field {self.path}: {self.dtype} {self.shape}, {self.unit or 'no unit'}, {self.frame}: {self.description}>"


def _missing(where: str, what: str, name: str, known: Iterable[str]) -> str:
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known) or 'none'}"
    return f"{where}: no {what} {name!r}; {hint}"
