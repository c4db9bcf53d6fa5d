"""Values with their units: as swiftsimio, unyt or astropy have them, or plain."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Any, Literal

from .npy import Array

# In this order `auto` takes the first that is installed.
KINDS = ("swiftsimio", "unyt", "astropy", "numpy")
Kind = Literal["auto", "swiftsimio", "unyt", "astropy", "numpy"]


@dataclass(frozen=True)
class Meaning:
    """What the numbers of a field are: `unit` as unyt and astropy parse it (None where the file does not say), and the frame they are in."""

    unit: str | None
    comoving: bool
    a_exponent: float
    scale_factor: float | None
    convertible: bool = True
    description: str | None = None
    lossy_filter: str | None = None


def resolve(kind: str) -> str:
    """The kind of arrays that is meant.

    Errors: ValueError for another word, ImportError where its package is missing.
    """
    if kind == "auto":
        return next(name for name in KINDS if importlib.util.find_spec(name))
    if kind not in KINDS:
        raise ValueError(f"arrays={kind!r}: there are auto, {', '.join(KINDS)}")
    if not importlib.util.find_spec(kind):
        raise ImportError(f"arrays={kind!r} needs the package {kind}: pip install {kind}")
    return kind


def dress(array: Array, meaning: Meaning, kind: str) -> Any:
    """The array with its unit, as that kind; plain where the file does not say its unit, or where it holds no numbers."""
    kind = resolve(kind)
    if kind == "numpy" or meaning.unit is None or array.dtype.kind not in "iufb":
        return array
    unit = unit_of(meaning.unit, kind)
    if kind == "swiftsimio":
        return _cosmo_array(array, unit, meaning)
    if kind == "unyt":
        import unyt

        return unyt.unyt_array(array, unit)
    from astropy import units

    # The dtype is named, or integers (ids) would become floats.
    return units.Quantity(array, unit, dtype=array.dtype, copy=False)


def unit_of(unit: str | None, kind: str) -> Any:
    """A unit as that kind of arrays has it: of unyt, of astropy, or its name."""
    kind = resolve(kind)
    if unit is None or kind == "numpy":
        return unit
    unit = "dimensionless" if unit == "1" else unit
    if kind in ("swiftsimio", "unyt"):
        import unyt

        return unyt.Unit(unit)
    from astropy import units

    return units.Unit("" if unit == "dimensionless" else unit)


def _cosmo_array(array: Array, unit: Any, meaning: Meaning) -> Any:
    import swiftsimio

    cosmo: dict[str, Any] = {}
    if meaning.scale_factor is not None:
        cosmo = {"scale_factor": meaning.scale_factor, "scale_exponent": meaning.a_exponent}
    # swiftsimio's own readers make them in just this way; 1e10*Msun is a unit of its own there as here.
    return swiftsimio.cosmo_array(
        array, unit, comoving=meaning.comoving, valid_transform=meaning.convertible, name=meaning.description,
        compression=meaning.lossy_filter or "None", **cosmo,
    )  # fmt: skip
