"""Boxes, spheres and apertures as callers say them, with or without units, as the numbers that the server takes."""

from __future__ import annotations

import math
from typing import Any, Union

import numpy as np

from . import errors

# A number, a pair, a list of numbers or of those: plain or with units. None is an open side of a box.
Lengths = Any
Number = Union[float, None]


class Scale:
    """What numbers of lengths are in: the unit, the frame, and the scale factor by which frames differ."""

    def __init__(self, unit: str | None, is_physical: bool, scale_factor: float | None) -> None:
        self.unit = unit
        self.is_physical = is_physical
        self.scale_factor = 1.0 if scale_factor is None else scale_factor

    def numbers(self, values: Lengths, what: str) -> Any:
        """The values as numbers, nested as they are. Those with a unit are converted, those with a frame too; others stay.

        Errors: `BadRequest` for what is no length, TypeError for what is no number.
        """
        if values is None:
            return None
        if hasattr(values, "units") or hasattr(values, "unit"):
            return self._convert(values, what).tolist()
        if isinstance(values, (list, tuple)) or (isinstance(values, np.ndarray) and values.ndim):
            return [self.numbers(value, what) for value in values]
        if isinstance(values, str):
            raise TypeError(f"{what}: {values!r} is no number")
        return float(values)

    def _convert(self, values: Any, what: str) -> np.ndarray[Any, Any]:
        if self.unit is None:
            raise errors.BadRequest(f"{what}: the file does not say the unit of its lengths; say region_unit")
        comoving = getattr(values, "comoving", None)
        factor = getattr(values, "cosmo_factor", None)
        if comoving and factor is not None and factor.a_factor is not None and not math.isclose(factor.a_factor, factor.scale_factor):
            # Comoving in another way than lengths are.
            values, comoving = values.to_physical(), False
        try:
            if hasattr(values, "units"):
                import unyt

                converted = np.asarray(values.to_value(unyt.Unit(self.unit)), "f8")
            else:
                converted = np.asarray(values.to_value(self.unit), "f8")
        except Exception as error:
            raise errors.BadRequest(f"{what}: {values} is no length: {error}") from error
        if comoving is None or comoving is not self.is_physical:
            return converted
        return converted * self.scale_factor if self.is_physical else converted / self.scale_factor


def boxes(value: Lengths, scale: Scale) -> list[list[Number]]:
    """Boxes of six bounds: of `[xmin, xmax, ymin, ymax, zmin, zmax]`, of three pairs as swiftsimio's masks take them, or of a list of either.

    An infinite bound is an open side, and so is None.
    """
    numbers = scale.numbers(value, "box")
    found = _box(numbers)
    if found is not None:
        return [found]
    several = [_box(item) for item in numbers] if isinstance(numbers, list) else []
    if not several or any(box is None for box in several):
        raise errors.BadRequest("box: expected [xmin, xmax, ymin, ymax, zmin, zmax], three pairs, or a list of those; None is an open side")
    return [box for box in several if box is not None]


def spheres(value: Lengths, scale: Scale) -> list[list[float]]:
    """Spheres of `[x, y, z, radius]`: of four numbers, of a centre and a radius, or of a list of either."""
    numbers = scale.numbers(value, "sphere")
    found = _sphere(numbers)
    if found is not None:
        return [found]
    several = [_sphere(item) for item in numbers] if isinstance(numbers, list) else []
    if not several or any(sphere is None for sphere in several):
        raise errors.BadRequest("sphere: expected (x, y, z, radius), (centre, radius), or a list of those")
    return [sphere for sphere in several if sphere is not None]


def aperture_text(value: Any, scale: Scale) -> str:
    """A radius by its name or a length as text, as they are; a length as a number in the unit of the scale."""
    if isinstance(value, str):
        return value
    number = scale.numbers(value, "aperture")
    if isinstance(number, list):
        raise errors.BadRequest(f"aperture: expected one length, or the name of a radius, not {value}")
    return repr(number)


def _box(item: Any) -> list[Number] | None:
    if not isinstance(item, list):
        return None
    if len(item) == 3 and all(pair is None or (isinstance(pair, list) and len(pair) == 2) for pair in item):
        item = [bound for pair in item for bound in (pair or (None, None))]
    if len(item) != 6 or any(isinstance(bound, list) for bound in item):
        return None
    return [_bound(bound, is_upper=bool(i % 2)) for i, bound in enumerate(item)]


def _bound(bound: Number, is_upper: bool) -> Number:
    if bound is None or bound == (math.inf if is_upper else -math.inf):
        return None
    if not math.isfinite(bound):
        raise errors.BadRequest(f"box: {bound} is no bound")
    return bound


def _sphere(item: Any) -> list[float] | None:
    if isinstance(item, list) and len(item) == 2 and isinstance(item[0], list):
        item = [*item[0], item[1]]
    if not isinstance(item, list) or len(item) != 4 or any(number is None or isinstance(number, list) for number in item):
        return None
    if not all(map(math.isfinite, item)):
        raise errors.BadRequest(f"sphere: {item} is not finite")
    if item[3] < 0:
        raise errors.BadRequest(f"sphere: the radius is {item[3]}, below 0")
    return item
