"""Pictures, histograms and profiles that the server made: arrays with units that draw themselves."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

# Inches and dots of an inch of what notebooks show.
FIGURE_SIZE, FIGURE_DPI = (6.4, 4.8), 110
# Colours reach this far below the greatest value: the rims of kernels, where a region ends, would take most of them.
MAX_RANGE = 1e6


class Drawn:
    """Something that `draw(axes)` draws with matplotlib; notebooks show it by themselves if matplotlib is installed."""

    def draw(self, axes: Any = None, **style: Any) -> Any:
        """Draws it on these axes of matplotlib, or on those of a new figure, and returns them."""
        raise NotImplementedError

    def _repr_png_(self) -> bytes | None:
        try:
            axes = self.draw()
        except ImportError:
            return None
        out = io.BytesIO()
        axes.figure.savefig(out, format="png", dpi=FIGURE_DPI)
        return out.getvalue()


@dataclass(frozen=True, repr=False, eq=False)
class Image(Drawn):
    """A projection. `values[y, x]`, both rising, with their unit; `extent` is `xmin, xmax, ymin, ymax`, comoving, with its unit.

    numpy takes it as its values: `np.log10(image)`, `np.asarray(image)`.
    """

    values: Any
    extent: Any
    frame: str
    name: str
    axis: str

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(self.values, dtype, copy=copy)

    def draw(self, axes: Any = None, **style: Any) -> Any:
        axes = _axes() if axes is None else axes
        plain = np.asarray(self.values)
        style = {"cmap": "viridis", "origin": "lower", "extent": np.asarray(self.extent).tolist(), "interpolation": "nearest"} | style
        style.setdefault("norm", _norm(plain))
        drawn = axes.imshow(plain, **style)
        axes.figure.colorbar(drawn, ax=axes, label=_label(self.name, self.values))
        x, y = {"x": ("y", "z"), "y": ("z", "x"), "z": ("x", "y")}.get(self.axis, ("first", "second"))
        axes.set(xlabel=_label(x, self.extent), ylabel=_label(y, self.extent))
        return axes

    def __repr__(self) -> str:
        return f"<apus.Image {self.name}: {self.values.shape[1]} x {self.values.shape[0]} pixels of {_unit(self.values) or 'no unit'}, {self.frame}>"


@dataclass(frozen=True, repr=False, eq=False)
class Histogram(Drawn):
    """A histogram of one axis or two, as of numpy.histogram and numpy.histogram2d: `counts[x]` or `counts[x, y]`, sums if it has weights."""

    counts: Any
    x_edges: Any
    y_edges: Any
    x: str
    y: str | None
    weight: str | None
    x_log: bool
    y_log: bool

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(self.counts, dtype, copy=copy)

    def draw(self, axes: Any = None, **style: Any) -> Any:
        axes = _axes() if axes is None else axes
        plain, x_edges, what = np.asarray(self.counts), np.asarray(self.x_edges), _label(self.weight or "rows", self.counts)
        axes.set(xlabel=_label(self.x, self.x_edges), xscale="log" if self.x_log else "linear")
        if self.y_edges is None:
            axes.stairs(plain, x_edges, **{"fill": True} | style)
            axes.set(ylabel=what)
            return axes
        style = {"cmap": "viridis"} | style
        style.setdefault("norm", _norm(plain))
        drawn = axes.pcolormesh(x_edges, np.asarray(self.y_edges), np.ma.masked_equal(plain.T, 0), **style)
        axes.figure.colorbar(drawn, ax=axes, label=what)
        axes.set(ylabel=_label(str(self.y), self.y_edges), yscale="log" if self.y_log else "linear")
        return axes

    def __repr__(self) -> str:
        axes = self.x if self.y is None else f"{self.x} and {self.y}"
        return f"<apus.Histogram of {axes}: {' x '.join(map(str, self.counts.shape))} bins of {self.weight or 'rows'}>"


@dataclass(frozen=True, repr=False, eq=False)
class Profile(Drawn):
    """A profile about a centre: `values` in the shells between `edges`, and the number of rows in each, `counts`. Empty shells have a mean of NaN."""

    values: Any
    edges: Any
    counts: Any
    name: str
    log: bool

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(self.values, dtype, copy=copy)

    def draw(self, axes: Any = None, **style: Any) -> Any:
        axes = _axes() if axes is None else axes
        plain = np.asarray(self.values)
        axes.stairs(plain, np.asarray(self.edges), **style)
        scale = "log" if (plain[np.isfinite(plain)] > 0).any() else "linear"
        axes.set(
            xlabel=_label("distance", self.edges), ylabel=_label(self.name, self.values), xscale="log" if self.log else "linear", yscale=scale
        )
        return axes

    def __repr__(self) -> str:
        return f"<apus.Profile of {self.name}: {len(self.values)} shells>"


def _axes() -> Any:
    """The axes of a new figure, which no window shows."""
    from matplotlib.figure import Figure

    return Figure(figsize=FIGURE_SIZE, layout="constrained").subplots()


def _norm(values: Any) -> Any:
    """Colours by logarithms, if there are positive values."""
    from matplotlib.colors import LogNorm

    positive = values[np.isfinite(values) & (values > 0)]
    return LogNorm(max(positive.min(), positive.max() / MAX_RANGE), positive.max(), clip=True) if positive.size else None


def _unit(values: Any) -> str:
    unit = getattr(values, "units", None)
    text = str(getattr(values, "unit", "") if unit is None else unit)
    # unyt writes 1e10 in full.
    text = re.sub(r"\b1(0{4,})(\.0)?\b", lambda found: f"1e{len(found[1])}", text)
    return "" if text == "dimensionless" else text


def _label(name: str, values: Any) -> str:
    unit = _unit(values)
    return f"{name} [{unit}]" if unit else name
