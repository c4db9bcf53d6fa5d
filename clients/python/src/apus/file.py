"""A file and its groups under swiftsimio's names."""

from __future__ import annotations

import functools
import os
import pathlib
from collections.abc import Iterable
from typing import Any

from . import errors
from .field import Described
from .group import Group
from .handle import Handle
from .metadata import Metadata, Units
from .npy import Array
from .rows import Rows
from .selectable import Selectable
from .server import Server


class File(Selectable, Handle):
    """A file on the server. `file.gas` or `file["gas"]` is a group, `file.gas.coordinates` a field; `info` is all that `/v1/info` tells.

    swiftsimio and swiftgalaxy take it as an open file if the package hdfstream is installed: `swiftsimio.load(file)`. For them, paths in the
    file (`file["PartType0/Coordinates"]`, `file["Header"].attrs`) give objects as in h5py.

    Made by `Connection.open`, which asks once for the contents; a file that is replaced has to be opened again.
    """

    def __init__(self, connection: Server, path: str, info: dict[str, Any]) -> None:
        super().__init__(connection, path)
        self.info = info
        self.groups = {group["name"]: Group(self, group) for group in info.get("groups", ()) if group.get("present")}

    @property
    def kind(self) -> str:
        """`snapshot`, `fof_catalogue`, `soap_catalogue`, `line_of_sight`, `subsampled`, `not_swift` ..."""
        kind = self.info.get("kind")
        return kind if isinstance(kind, str) else str((kind or {}).get("other", "unknown"))

    @property
    def header(self) -> dict[str, Any]:
        """The header: `redshift`, `box_size`, `n_part_total` ...; empty if SWIFT did not write the file."""
        return self.info.get("header") or {}

    @functools.cached_property
    def metadata(self) -> Metadata:
        """The metadata by swiftsimio's names: `file.metadata.boxsize`, `.redshift`, `.parameters`, `.n_gas` ..."""
        return Metadata(self)

    @property
    def boxsize(self) -> Any:
        """The lengths of the box, with their unit; None if the file does not say."""
        return self.metadata.boxsize

    @property
    def cosmology(self) -> Any:
        """The cosmology, as an object of astropy; None for a run without one. `info["cosmology"]` has the plain numbers."""
        return self.metadata.cosmology

    @property
    def units(self) -> Units:
        """The file's units: `file.units.length`, `.mass`, `.time`, `.current`, `.temperature`."""
        return self.metadata.units

    @property
    def scale_factor(self) -> float | None:
        """The scale factor; None if the file has none."""
        return self.header.get("scale_factor")

    @property
    def redshift(self) -> float | None:
        """The redshift; None if the file has none."""
        return self.header.get("redshift")

    @property
    def length_unit(self) -> str | None:
        """The unit of the file's lengths, as unyt and astropy parse it."""
        return ((self.info.get("units") or {}).get("names") or {}).get("length")

    def object(self, object: str = "/") -> dict[str, Any]:
        """One HDF5 object as stored in the file."""
        return self.connection.object(self.path, object)

    def data(self, object: str, rows: Rows = None, columns: int | Iterable[int] | None = None) -> Array:
        """The values of any dataset, by its HDF5 path, as `Connection.data` returns them."""
        return self.connection.data(self.path, object, rows, columns)

    def download(self, target: str | os.PathLike[str] | None = None, *, overwrite: bool = False) -> pathlib.Path:
        """Copies the whole file, as `Connection.download` does."""
        return self.connection.download(self.path, target, overwrite=overwrite)

    def _described(self) -> Described:
        return self

    def _pictured(self, kind: str | None) -> tuple[Described, str, dict[str, Any]]:
        kind = kind or next(iter(self.groups), "gas")
        if kind not in self.groups:
            raise errors.missing(self.path, "group", kind, self.groups)
        return self, kind, {}

    def _served(self, field: str) -> str:
        return field

    def __contains__(self, name: Any) -> bool:
        return name in self.groups or (_is_path(name) and name in self.hdfstream())

    def __getattr__(self, name: str) -> Group:
        if name.startswith("_") or name == "groups":
            raise AttributeError(name)
        if name in self.groups:
            return self.groups[name]
        raise AttributeError(str(errors.missing(self.path, "group", name, self.groups)))

    def __getitem__(self, name: str) -> Any:
        if name in self.groups:
            return self.groups[name]
        if _is_path(name):
            return self.hdfstream()[name]
        raise errors.missing(self.path, "group", name, self.groups)

    def __dir__(self) -> Iterable[str]:
        return [*super().__dir__(), *self.groups]

    def _ipython_key_completions_(self) -> list[str]:
        return list(self.groups)

    def __repr__(self) -> str:
        return f"<apus.File {self.path}: {self.kind} with {', '.join(self.groups) or 'no groups of fields'}>"


def _is_path(name: str) -> bool:
    """Whether it is a path in the file rather than one of swiftsimio's names, none of which has a capital letter."""
    return "/" in name or name != name.lower()
