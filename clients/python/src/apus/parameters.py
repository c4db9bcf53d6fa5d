"""Parameters of selections as the server takes them, and what they must be."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from . import errors
from .field import Described
from .region import Scale, aperture_text, boxes, spheres

# What a parameter of a few words may be.
WORDS = {"rows": ("particles", "cells"), "frame": ("comoving", "physical"), "region_frame": ("comoving", "physical")}
# The parameters that say which rows.
ROWS = (
    "box", "sphere", "region_unit", "region_frame", "group", "groups", "catalogue", "aperture", "members", "rows", "padding", "where", "ids", "sample",
    "stride", "limit", "frame",
)  # fmt: skip
AXES = ("x", "y", "z")


def rows_asked(file: Described, said: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that say which rows, as members of a request's body; those that are None are left out.

    Errors: `BadRequest` for what is out of range, TypeError for what is of another type.
    """
    said = {name: value for name, value in said.items() if value is not None}
    unit, is_physical = said.get("region_unit"), said.get("region_frame") == "physical"
    scale = Scale(file.length_unit if unit is None else unit_text(unit), is_physical, file.scale_factor)
    converted: dict[str, Callable[[Any], Any]] = {
        "box": lambda box: boxes(box, scale),
        "sphere": lambda sphere: spheres(sphere, scale),
        "region_unit": unit_text,
        "ids": lambda ids: whole_numbers(ids, "ids"),
        "group": lambda group: halos(group, "group"),
        "groups": lambda groups: halos(groups, "groups"),
        "catalogue": catalogue_path,
        "aperture": lambda aperture: aperture_text(aperture, Scale(file.length_unit, False, file.scale_factor)),
        "where": conditions,
        "stride": lambda stride: _count(stride, "stride", 1),
        "limit": lambda limit: _count(limit, "limit", 0),
    }
    for name in said:
        if name not in ROWS:
            near = difflib.get_close_matches(name, ROWS, n=1)
            raise TypeError(f"{name}: no such parameter; {f'did you mean {near[0]!r}?' if near else 'there are ' + ', '.join(ROWS)}")
    asked = {name: converted[name](value) if name in converted else value for name, value in said.items()}
    check(asked)
    return asked


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
        if name in asked and not 0 <= _number(asked[name], name) <= 1:
            raise errors.BadRequest(f"{name}={asked[name]!r}: expected a fraction between 0 and 1")
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


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        raise TypeError(f"{name}={value!r}: expected a number")
    return float(value)


def _count(value: Any, name: str, least: int) -> int:
    number = _number(value, name)
    if not (math.isfinite(number) and number >= least and number == math.floor(number)):
        raise errors.BadRequest(f"{name}={value!r}: expected a whole number of at least {least}")
    return int(value)


def conditions(where: Any) -> str | list[str]:
    """A condition, or several."""
    if isinstance(where, str):
        return where
    found = list(where) if isinstance(where, Iterable) else [where]
    for condition in found:
        if not isinstance(condition, str):
            raise TypeError(f"where: {condition!r} is no text; a condition is one, such as 'temperatures > 1e5 K'")
    return found


def catalogue_path(catalogue: Any) -> str:
    """The path of a catalogue: of a file, of a group of one, or as it is."""
    file = getattr(catalogue, "file", catalogue)
    path = getattr(file, "path", file)
    if not isinstance(path, str):
        raise TypeError(f"catalogue={catalogue!r}: expected a file that was opened, or its path")
    return path


def halos(ids: Any, what: str) -> list[int]:
    """The id of one halo, or of several."""
    found = whole_numbers(ids, what)
    if what == "group" and len(found) != 1:
        raise TypeError(f"group: expected the id of one halo, not {len(found)}; several are given with groups=")
    if min(found, default=0) < 0:
        raise errors.BadRequest(f"{what}: {min(found)} is no id of a halo")
    return found


def whole_numbers(ids: Any, what: str) -> list[int]:
    """Ids, of a list or an array of any kind, as numbers for JSON."""
    found = np.asarray(ids)
    if found.size and found.dtype.kind not in "iu":
        raise TypeError(f"{what}: {found.dtype} values are no whole numbers")
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
