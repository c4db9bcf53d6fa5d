"""The parameters of a selection: checked, and as the server takes them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from . import errors
from .quantity import Kind, resolve
from .region import Lengths, Scale, aperture_text, boxes, spheres
from .select import Described, Selection, unit_text, unit_texts, whole_numbers

# What a parameter of a few words may be.
WORDS = {"rows": ("particles", "cells"), "frame": ("comoving", "physical"), "region_frame": ("comoving", "physical")}
AXES = ("x", "y", "z")


class Selectable:
    """A file, or a group of it, that the server selects from."""

    def _described(self) -> Described:
        """The file."""
        raise NotImplementedError

    def _served(self, field: str) -> str:
        """The name of a field as the server takes it."""
        raise NotImplementedError

    def select(
        self,
        *fields: str,
        box: Lengths = None,
        sphere: Lengths = None,
        region_unit: Any = None,
        region_frame: str | None = None,
        group: int | None = None,
        groups: Any = None,
        catalogue: Any = None,
        aperture: Any = None,
        members: bool | None = None,
        rows: str | None = None,
        padding: float | None = None,
        where: str | Iterable[str] | None = None,
        ids: Any = None,
        sample: float | None = None,
        stride: int | None = None,
        limit: int | None = None,
        unit: Any = None,
        frame: str | None = None,
        arrays: Kind | None = None,
    ) -> Selection:
        """A selection that the server makes, in one request, which is sent when a value of it is first used.

        `fields` have swiftsimio's names. Of a file, they begin with the type: `gas.coordinates`, `stars.*`, `gas.velocities.x`; of a group,
        without it: `coordinates`, `*`, `velocities.x`. Paths in the file work for both. All other parameters are optional, and can be combined;
        the server's docs/select.md describes them in full:

        `box`: six bounds `[xmin, xmax, ymin, ymax, zmin, zmax]` or three pairs; None is an open side. If an upper bound is below the lower one,
        the box crosses the periodic boundary. `sphere`: `(x, y, z, radius)` or `(centre, radius)`. Of a list of them, the union is taken. Those
        with units (cosmo_array, unyt, astropy) are converted, and a physical cosmo_array is made comoving; plain numbers, and units without a
        frame, are in `region_unit` (by default the file's length unit) and `region_frame` (by default `comoving`).
        `group`, `groups`: the id of a halo, or of several, whose rows are joined. `catalogue`: the FOF or SOAP file in which they are looked up,
        or its path. Without `aperture`, the members of the halos; with it, all rows within this radius of their centres, or only their members
        there with `members=True`. It is a radius of the catalogue (`"r200c"`), a length with a unit as for `sphere`, its text
        (`"500 kpc physical"`), or a number (the file's length unit, comoving).
        `rows`: `particles` for exactly those inside, `cells` for all in the cells that the region touches, as with swiftsimio's masks.
        `padding`: for files without bounds of their cells, widen the cells by this fraction of their side in place of reading all positions.
        `where`: a condition, or several: `"temperatures > 1e5 K and metal_mass_fractions > 0.01"`.
        `ids`: only these particles. `sample`: a fraction, always the same particles. `stride`, `limit`: every n-th row, at most this many.
        `unit`: units of the answer, each for the fields of its dimensions. `frame`: `comoving` or `physical`. Values are otherwise as stored.
        `arrays`: as in `connect`.

        Errors: `NotFound` for a field that the file does not have, with the nearest; `BadRequest` for a parameter out of range; TypeError.
        """
        file = self._described()
        if not fields:
            raise TypeError('select() needs fields, such as "coordinates" of a group, or "gas.coordinates" and "gas.*" of a file')
        names = {field: self._served(field) for field in fields}
        for name in names.values():
            check_field(file, name)
        said = {
            "region_frame": region_frame, "members": members, "rows": rows, "padding": padding, "sample": sample, "stride": stride, "limit": limit,
            "frame": frame,
        }  # fmt: skip
        asked: dict[str, Any] = {"fields": list(names.values())} | {name: value for name, value in said.items() if value is not None}
        scale = Scale(unit_text(region_unit) if region_unit is not None else file.length_unit, region_frame == "physical", file.scale_factor)
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
            asked["catalogue"] = getattr(catalogue, "path", catalogue)
        if aperture is not None:
            asked["aperture"] = aperture_text(aperture, Scale(file.length_unit, False, file.scale_factor))
        if where is not None:
            asked["where"] = where if isinstance(where, str) else list(where)
        if unit is not None:
            asked["unit"] = unit_texts(unit)
        if region_unit is not None:
            asked["region_unit"] = unit_text(region_unit)
        check(asked)
        if arrays is not None:
            resolve(arrays)
        return Selection(file, names, asked, arrays)


def check_field(file: Described, served: str) -> None:
    """Errors: `NotFound` for a field that the file does not have, with the nearest name."""
    if served.startswith("/"):
        path, _, column = served.partition(".")
        paths = {field.path: field for group in file.groups.values() for field in group.fields.values()}
        if path not in paths:
            raise errors.missing(file.path, "field", path, paths)
        field = paths[path]
    else:
        group_name, _, rest = served.partition(".")
        group = file.groups.get(group_name) or next((group for group in file.groups.values() if group.path == f"/{group_name}"), None)
        if group is None:
            raise errors.missing(file.path, "group", group_name, file.groups)
        if rest == "*":
            return
        name, _, column = rest.partition(".")
        if not name:
            raise errors.NotFound(
                f"{file.path}: {served!r} is a group, not a field: give {group_name}.* for all its fields, or {group_name}.{next(iter(group.fields), '')}"
            )
        found = group.find(name)
        if found is None:
            raise errors.missing(f"{file.path}: {group.name}", "field", name, group.fields)
        field = found
    columns = field.columns or (AXES if field.shape[1:] == (3,) else ())
    if column and column not in columns:
        raise errors.missing(f"{file.path}: {field.name}", "column", column, columns)


def check(asked: Mapping[str, Any]) -> None:
    """Errors: `BadRequest` for a parameter out of range, or without the one that it is about; TypeError for one of another type."""
    for name, words in WORDS.items():
        if name in asked and asked[name] not in words:
            raise errors.BadRequest(f"{name}={asked[name]!r}: expected {' or '.join(map(repr, words))}")
    for name in ("sample", "padding"):
        if name in asked and not (_number(asked, name) and 0 <= asked[name] <= 1):
            raise errors.BadRequest(f"{name}={asked[name]!r}: expected a fraction between 0 and 1")
    for name, least in (("stride", 1), ("limit", 0)):
        if name in asked and not (_number(asked, name) and asked[name] >= least and asked[name] == int(asked[name])):
            raise errors.BadRequest(f"{name}={asked[name]!r}: expected a whole number of at least {least}")
    if "members" in asked and not isinstance(asked["members"], bool):
        raise TypeError(f"members={asked['members']!r}: expected True or False")
    of_halos = [name for name in ("catalogue", "aperture", "members") if name in asked]
    if of_halos and "group" not in asked and "groups" not in asked:
        raise errors.BadRequest(f"{of_halos[0]}: for which halo? Give its id with group=, or several with groups=")
    if "aperture" in asked and "catalogue" not in asked:
        raise errors.BadRequest("aperture: the centre of the halo is in a catalogue; give catalogue=, a FOF or SOAP file or its path")
    has_region = "box" in asked or "sphere" in asked
    for name in ("region_unit", "region_frame"):
        if name in asked and not has_region:
            raise errors.BadRequest(f"{name}: there is neither box nor sphere that it could be about")
    if "padding" in asked and not (has_region or "aperture" in asked):
        raise errors.BadRequest("padding: there is no region that it could be about; give box=, sphere= or aperture=")


def _number(asked: Mapping[str, Any], name: str) -> bool:
    value = asked[name]
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        raise TypeError(f"{name}={value!r}: expected a number")
    return math.isfinite(value)
