"""What the server pictures: projections, histograms, profiles and statistics of rows that it does not send."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from . import errors
from .field import Described
from .npy import Array, read_array
from .npz import read_archive
from .parameters import WORDS, rows_asked, unit_text, unit_texts
from .pictures import Histogram, Image, Profile
from .quantity import Meaning, dress, resolve
from .region import Lengths, Scale
from .stream import Stream

# The longest query that is sent: servers and proxies refuse longer addresses.
MAX_QUERY_BYTES = 8000


class Pictured:
    """A file, a group or a selection of one.

    Of files and groups, `rows` are parameters of `select` that say which rows: `box`, `sphere`, `group`, `catalogue`, `aperture`, `where` ...
    `field`, `weight`, `x` and `y` are fields, or expressions of them: `"temperatures"`, `"log10(densities / (1 g/cm**3))"`.
    """

    def _pictured(self, kind: str | None) -> tuple[Described, str, dict[str, Any]]:
        """The file, the type that is pictured, and the rows as the server is asked for them."""
        raise NotImplementedError

    def image(
        self,
        field: str | None = None,
        *,
        type: str | None = None,
        weight: str | None = None,
        axis: str | None = None,
        along: Iterable[float] | None = None,
        pixels: int | tuple[int, int] | None = None,
        backend: str | None = None,
        unit: Any = None,
        frame: str | None = None,
        **rows: Any,
    ) -> Image:
        """A projection of the region, or of the whole box: the surface density of `weight` (the mass), or the mean of `field` weighted by it.

        `axis` is what it looks along, `x`, `y` or `z`, `along` a direction instead. `pixels` are those of the longer side (512), or
        `(width, height)`. `backend`: `fast`, as swiftsimio's; `renormalised`, `histogram`. `unit` and `frame` are those of the values.
        """
        turned = None if along is None else ",".join(repr(float(x)) for x in along)
        size = ",".join(map(str, pixels)) if isinstance(pixels, tuple) else pixels
        asked = {
            "field": field,
            "weight": weight,
            "axis": axis,
            "along": turned,
            "pixels": size,
            "backend": backend,
            "unit": unit,
            "frame": frame,
        }
        file, params = self._asked(type, asked, rows)
        with _stream(file, "/v1/image/", params | {"format": "npy"}) as stream:
            values = read_array(stream)
            stream.finish()
            headers = stream.headers
        extent = _dressed(file, _numbers(headers.get("Apus-Extent", "")), file.length_unit)
        name = field or ("surface density" if weight is None else f"surface density of {weight}")
        looks_along = (axis or "z") if along is None else "direction"
        return Image(_dressed(file, values, headers.get("Apus-Unit")), extent, headers.get("Apus-Frame", "comoving"), name, looks_along)

    def histogram(
        self,
        x: str,
        y: str | None = None,
        *,
        type: str | None = None,
        weight: str | None = None,
        x_bins: int | None = None,
        x_range: Iterable[Any] | None = None,
        x_log: bool = False,
        x_unit: Any = None,
        y_bins: int | None = None,
        y_range: Iterable[Any] | None = None,
        y_log: bool = False,
        y_unit: Any = None,
        unit: Any = None,
        frame: str | None = None,
        **rows: Any,
    ) -> Histogram:
        """The rows, or the sums of `weight`, in bins of `x`, or of `x` and `y`: what numpy.histogram and numpy.histogram2d return for them.

        `x_range` are two numbers in `x_unit`, by default the file's; with `x_log`, bins are equally wide in the logarithm.
        """
        asked = {
            "x": x, "x_bins": x_bins, "x_range": _range(x_range, "x_range"), "x_log": x_log or None, "x_unit": x_unit,
            "y": y, "y_bins": y_bins, "y_range": _range(y_range, "y_range"), "y_log": y_log or None, "y_unit": y_unit,
            "weight": weight, "unit": unit, "frame": frame,
        }  # fmt: skip
        file, params = self._asked(type, asked, rows)
        arrays, headers = _archive(file, params)
        counts = arrays["counts"] if weight is None else _dressed(file, arrays["counts"], headers.get("Apus-Unit"))
        x_edges = _dressed(file, arrays["x_edges"], headers.get("Apus-X-Unit"))
        y_edges = None if y is None else _dressed(file, arrays["y_edges"], headers.get("Apus-Y-Unit"))
        return Histogram(counts, x_edges, y_edges, x, y, weight, x_log, y_log)

    def profile(
        self,
        field: str | None = None,
        *,
        centre: Lengths = None,
        type: str | None = None,
        weight: str | None = None,
        bins: int | None = None,
        range: Iterable[Any] | None = None,
        log: bool = False,
        radius_unit: Any = None,
        unit: Any = None,
        frame: str | None = None,
        **rows: Any,
    ) -> Profile:
        """The density of `weight` (the mass) in shells about a centre, or the mean of `field` weighted by it.

        `centre` is a position, with or without units (the file's length unit, comoving); by default, that of the halo of `group` with its
        `aperture`. `range` are two distances in `radius_unit`, by default the file's; with `log`, shells are equally wide in the logarithm.
        """
        file = self._pictured(type)[0]
        about = "halo"
        if centre is not None:
            numbers = Scale(file.length_unit, False, file.scale_factor).numbers(centre, "centre")
            if not isinstance(numbers, list) or len(numbers) != 3 or not all(isinstance(number, float) for number in numbers):
                raise errors.BadRequest(f"centre: expected three lengths, not {centre}")
            about = ",".join(map(repr, numbers))
        asked = {
            "radial": about, "field": field, "weight": weight, "x_bins": bins, "x_range": _range(range, "range"), "x_log": log or None,
            "x_unit": radius_unit, "unit": unit, "frame": frame,
        }  # fmt: skip
        file, params = self._asked(type, asked, rows)
        arrays, headers = _archive(file, params)
        name = field or f"density of {weight or 'masses'}"
        edges = _dressed(file, arrays["x_edges"], headers.get("Apus-X-Unit"))
        return Profile(_dressed(file, arrays["profile"], headers.get("Apus-Unit")), edges, arrays["counts"], name, log)

    def statistics(
        self,
        *fields: str,
        type: str | None = None,
        weight: str | None = None,
        quantiles: Iterable[float] | None = None,
        unit: Any = None,
        frame: str | None = None,
        **rows: Any,
    ) -> dict[str, dict[str, Any]]:
        """By field: `count`, `n_nan`, `sum`, `mean`, `std`, `min`, `max`, and if asked for `weighted_mean` and `quantiles`, with their unit."""
        if not fields:
            raise TypeError('statistics() needs fields, such as "temperatures"')
        of_unit = None if unit is None else ",".join(unit_texts(unit))
        wanted = None if quantiles is None else ",".join(repr(float(q)) for q in quantiles)
        asked = {"fields": ",".join(fields), "weight": weight, "quantiles": wanted, "unit": of_unit, "frame": frame}
        file, params = self._asked(type, asked, rows)
        answer = file.connection._transport.get_json("/v1/statistics/", file.path, params)
        return {field: _with_units(file, told) for field, told in answer["statistics"].items()}

    def _asked(self, kind: str | None, asked: Mapping[str, Any], rows: Mapping[str, Any]) -> tuple[Described, dict[str, str]]:
        """The file, and the query."""
        file, kind, selected = self._pictured(kind)
        if rows and selected:
            raise TypeError(f"{next(iter(rows))}: a selection says by itself which rows; give it to select()")
        if asked.get("frame") is not None and asked["frame"] not in WORDS["frame"]:
            raise errors.BadRequest(f"frame={asked['frame']!r}: expected {' or '.join(map(repr, WORDS['frame']))}")
        texts = {name: _text(value, name) for name, value in ({"type": kind} | dict(asked)).items() if value is not None}
        texts |= {name: _text(value, name) for name, value in (selected or rows_asked(file, rows)).items()}
        if sum(map(len, texts.values())) > MAX_QUERY_BYTES:
            raise errors.BadRequest("the parameters are too long for a picture: give fewer ids, boxes or conditions")
        return file, texts


def _text(value: Any, name: str) -> str:
    """A parameter as an address has it."""
    if name.endswith("unit") and not isinstance(value, str):
        return unit_text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and value and isinstance(value[0], list):
        return ";".join(_text(item, name) for item in value)
    if isinstance(value, list):
        return (";" if name == "where" else ",").join("" if item is None else _text(item, name) for item in value)
    return repr(value) if isinstance(value, float) else str(value)


def _range(bounds: Iterable[Any] | None, name: str) -> list[float] | None:
    if bounds is None:
        return None
    numbers = [float(bound) for bound in bounds]
    if len(numbers) != 2:
        raise errors.BadRequest(f"{name}: expected two numbers, the lower and the upper end")
    return numbers


def _stream(file: Described, route: str, params: Mapping[str, str]) -> Stream:
    return Stream(file.connection._transport, route, file.path, params=params, progress=file.connection.progress)


def _archive(file: Described, params: Mapping[str, str]) -> tuple[dict[str, Array], Mapping[str, str]]:
    with _stream(file, "/v1/histogram/", params) as stream:
        return read_archive(stream), stream.headers


def _numbers(text: str) -> Array:
    return np.array([float(number) for number in text.split(",")])


def _dressed(file: Described, values: Array, unit: str | None) -> Any:
    """The values with their unit; of unyt where fields are cosmo_arrays, since the exponent of what a picture shows is not told."""
    kind = resolve(file.connection.arrays)
    return dress(values, Meaning(unit, False, 0.0, file.scale_factor), "unyt" if kind == "swiftsimio" else kind)


def _with_units(file: Described, told: Mapping[str, Any]) -> dict[str, Any]:
    """The statistics of a field, those of its dimensions with its unit."""

    def number(value: Any) -> Any:
        values = np.atleast_1d(np.asarray(value, "f8"))
        return _dressed(file, values, told.get("unit"))[0]

    out = dict(told)
    for name in ("sum", "mean", "weighted_mean", "std", "min", "max"):
        if told.get(name) is not None:
            out[name] = number(told[name])
    if told.get("quantiles"):
        out["quantiles"] = {float(q): number(value) for q, value in told["quantiles"].items()}
    return out
