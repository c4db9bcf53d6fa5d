"""What the server selects from: files and groups."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .field import Described
from .parameters import check_field, rows_asked, unit_texts
from .pictured import Pictured
from .quantity import Kind, resolve
from .region import Lengths
from .select import Selection


class Selectable(Pictured):
    """A file, or a group of it, that the server selects from, and pictures."""

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
        for field in fields:
            if not isinstance(field, str):
                raise TypeError(f'select(): {field!r} is no name of a field; names stand one by one, as in select("coordinates", "masses")')
        names = {field: self._served(field) for field in fields}
        for name in names.values():
            check_field(file, name)
        rows_said = {
            "box": box, "sphere": sphere, "region_unit": region_unit, "region_frame": region_frame, "group": group, "groups": groups,
            "catalogue": catalogue, "aperture": aperture, "members": members, "rows": rows, "padding": padding, "where": where, "ids": ids,
            "sample": sample, "stride": stride, "limit": limit, "frame": frame,
        }  # fmt: skip
        asked: dict[str, Any] = {"fields": list(names.values())} | rows_asked(file, rows_said)
        if unit is not None:
            asked["unit"] = unit_texts(unit)
        if arrays is not None:
            resolve(arrays)
        return Selection(file, names, asked, arrays)
