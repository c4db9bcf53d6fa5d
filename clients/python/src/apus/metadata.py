"""The header, units and cosmology of a file, by swiftsimio's names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import numpy as np

from .quantity import Meaning, dress, resolve, unit_of
from .server import Server

BASE_UNITS = ("mass", "length", "time", "current", "temperature")
# swiftsimio's names of the groups whose attributes it has as dictionaries.
ATTRIBUTES = {
    "code": "Code", "cosmology_raw": "Cosmology", "header": "Header", "gravity_scheme": "GravityScheme", "hydro_scheme": "HydroScheme",
    "internal_code_units": "InternalCodeUnits", "parameters": "Parameters", "policy": "Policy", "runtime_pars": "RuntimePars",
    "subgrid_scheme": "SubgridScheme", "stars_scheme": "StarsScheme", "unused_parameters": "UnusedParameters",
}  # fmt: skip


class Informed(Protocol):
    """A file, as its metadata need it."""

    path: str
    connection: Server
    info: dict[str, Any]

    @property
    def groups(self) -> Mapping[str, Any]: ...


class Units:
    """The units of a file: `mass`, `length`, `time`, `current`, `temperature`, of the package that its values have units of."""

    def __init__(self, names: Mapping[str, str], kind: str) -> None:
        self.mass, self.length, self.time, self.current, self.temperature = (unit_of(names.get(name), kind) for name in BASE_UNITS)

    def __repr__(self) -> str:
        return f"<apus.Units {', '.join(f'{name}: {getattr(self, name)}' for name in BASE_UNITS)}>"


class Metadata:
    """The metadata of a file by swiftsimio's names: `boxsize`, `redshift`, `cosmology`, `units`, `n_gas`, `present_group_names` ...

    `header`, `parameters`, `code`, `hydro_scheme` and the like are the attributes of that group of the file, asked for when they are used.
    """

    def __init__(self, file: Informed) -> None:
        self._file = file
        self._header: dict[str, Any] = file.info.get("header") or {}
        self._attributes: dict[str, dict[str, Any]] = {}
        self.units = Units((file.info.get("units") or {}).get("names") or {}, file.connection.arrays)
        self.filename = f"/{file.path}"
        self.present_group_names = list(file.groups)
        self.a = self.scale_factor = self._header.get("scale_factor")
        self.z = self.redshift = self._header.get("redshift")
        self.run_name: str | None = self._header.get("run_name")
        self.output_type: str | None = self._header.get("output_type")
        self.dimension: int | None = self._header.get("dimension")

    @property
    def boxsize(self) -> Any:
        """The lengths of the box, with their unit; None if the file does not say."""
        size = self._header.get("box_size")
        return None if size is None else self._dressed(np.array(size, "f8"), "length", comoving=True)

    @property
    def time(self) -> Any:
        """The time of the output, with its unit (as in swiftsimio, of unyt); None if the file does not say."""
        time = self._header.get("time")
        return None if time is None else self._dressed(np.array([time], "f8"), "time", comoving=False)[0]

    t = time

    @property
    def cosmology(self) -> Any:
        """The cosmology, as an object of astropy, equal to swiftsimio's; None for a run without one. `info["cosmology"]` has the plain numbers."""
        told = (self._file.info.get("cosmology") or {}).get("astropy")
        if not told:
            return None
        try:
            from astropy import units
            from astropy.cosmology import w0waCDM
        except ImportError as error:
            raise ImportError('this needs the package astropy: pip install astropy; info["cosmology"] has the plain numbers') from error
        known = {name: value for name, value in told.items() if name not in ("m_nu", "H0", "Tcmb0")}
        return w0waCDM(
            H0=told["H0"] * units.km / units.s / units.Mpc, Tcmb0=told["Tcmb0"] * units.K, m_nu=(told.get("m_nu") or [0.0]) * units.eV, **known
        )

    def __getattr__(self, name: str) -> Any:
        if name in ATTRIBUTES:
            if name not in self._attributes:
                described = self._file.connection.object(self._file.path, f"/{ATTRIBUTES[name]}")
                self._attributes[name] = {key: np.asarray(told["value"]) for key, told in described["attributes"].items() if "value" in told}
            return self._attributes[name]
        if name.startswith("n_") and name[2:] in self.present_group_names:
            return self._file.groups[name[2:]].n_rows
        raise AttributeError(
            f"{self._file.path}: its metadata have no {name!r}; there are {', '.join(sorted(set(dir(self)) - set(dir(object))))}"
        )

    def __dir__(self) -> Iterable[str]:
        shown = (name for name in super().__dir__() if not name.startswith("_"))
        return [*shown, *ATTRIBUTES, *(f"n_{name}" for name in self.present_group_names)]

    def _dressed(self, array: Any, dimension: str, comoving: bool) -> Any:
        unit = ((self._file.info.get("units") or {}).get("names") or {}).get(dimension)
        kind = self._file.connection.arrays
        if not comoving and resolve(kind) == "swiftsimio":
            kind = "unyt"
        return dress(array, Meaning(unit, comoving, 1.0, self.a), kind)
