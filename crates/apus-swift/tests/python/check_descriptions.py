"""Compares descriptions of files with what swiftsimio says about the same files.

Reads lines of JSON from standard input, {"path": ..., "description": ...}, and writes one JSON object: how many things were
compared, which files swiftsimio refuses, and what differs.
"""

import json
import sys
import warnings

import astropy.units
import h5py
import numpy as np
import swiftsimio
import unyt
from swiftsimio.metadata.field import attr_reader

warnings.simplefilter("ignore")


class Comparison:
    def __init__(self):
        self.n_compared = 0
        self.refused = {}
        self.differences = []

    def same(self, where, ours, theirs):
        self.n_compared += 1
        if ours != theirs:
            self.differences.append(f"{where}: {ours!r}, but swiftsimio has {theirs!r}")

    def close(self, where, ours, theirs, rtol):
        self.n_compared += 1
        if ours is None or not np.allclose(ours, theirs, rtol=rtol, atol=0):
            self.differences.append(f"{where}: {ours!r}, but swiftsimio has {theirs!r}")

    def unit(self, where, name, cgs, theirs):
        """`name` in unyt's and astropy's reading, against swiftsimio's unit; `cgs` against the number in the file."""
        # swiftsimio rounds base units to five digits, and unyt's solar mass differs from SWIFT's in the sixth.
        ratio = (1.0 * unyt.Unit(name)).to_value(1.0 * theirs if isinstance(theirs, unyt.Unit) else theirs.units)
        self.close(f"{where}: unit {name}", ratio, float(getattr(theirs, "value", 1.0)), 3e-5)
        si = astropy.units.Unit(name).decompose(bases=[astropy.units.g, astropy.units.cm, astropy.units.s, astropy.units.A, astropy.units.K])
        # SWIFT raises to 32-bit powers, where -2/3 is -0.66666687.
        self.close(f"{where}: unit {name} in astropy", si.scale, cgs, 1e-5 if "/3)" in name else 1e-6)


def text(value):
    return value.decode() if isinstance(value, bytes) else value


def compare(c, path, d):
    name = path.rsplit("/", 1)[-1]
    try:
        metadata = swiftsimio.load(path).metadata
    except Exception as error:  # whatever it raises: the file is refused
        c.refused[name] = f"{type(error).__name__}: {error}"
        return
    header = d["header"]
    units = metadata.units
    for base in ("mass", "length", "time", "current", "temperature"):
        c.unit(f"{name}: {base}", d["units"]["names"][base], d["units"][f"{base}_cgs"], getattr(units, base))
    c.close(f"{name}: box", header["box_size"], metadata.boxsize.value, 0)
    c.same(f"{name}: scale factor", header["scale_factor"], float(metadata.scale_factor))
    c.same(f"{name}: redshift", header["redshift"], float(metadata.redshift))
    c.same(f"{name}: time", header["time"], float(metadata.time.value))
    c.same(f"{name}: dimension", header["dimension"], int(metadata.dimension))
    c.same(f"{name}: run name", header["run_name"] or "", metadata.run_name)
    c.same(f"{name}: system", header["system"] or "", metadata.system_name)
    c.same(f"{name}: select output", header["select_output"] or "", metadata.select_output)
    c.same(f"{name}: output type", header["output_type"] or "", metadata.output_type)
    c.same(f"{name}: counts", header["n_part_this_file"], [int(n) for n in metadata.num_part])
    for i, kind in enumerate(metadata.mass_table.__dict__):
        mass = getattr(metadata.mass_table, kind)
        c.same(f"{name}: mass table", header["mass_table"][i] if i < len(header["mass_table"]) else 0, float(mass or 0))

    groups = {g["name"]: g for g in d["groups"]}
    c.same(f"{name}: groups", [g["name"] for g in d["groups"] if g["present"]], list(metadata.present_group_names))
    with h5py.File(path) as file:
        for group_path, group_name in zip(metadata.present_groups, metadata.present_group_names):
            group = groups[group_name]
            properties = getattr(metadata, f"{group_name}_properties")
            where = f"{name}: {group_name}"
            c.same(f"{where}: group", group["group"], group_path)
            counted = getattr(metadata, f"n_{group_name}", None)
            if counted is not None:
                c.same(f"{where}: rows", group["n_rows"], int(counted))
            c.same(f"{where}: fields", [f["name"] for f in group["fields"]], properties.field_names)
            c.same(f"{where}: paths", [f["path"].lstrip("/") for f in group["fields"]], properties.field_paths)
            c.same(f"{where}: nothing unreadable", group.get("unreadable", []), [])
            for attribute, stored in properties.group_attributes.items():
                c.close(f"{where}@{stored}", group["attributes"][stored], file[group_path].attrs[stored], 0)
            for field in group["fields"]:
                compare_field(c, f"{where}.{field['name']}", file, metadata, properties, field)
    compare_cosmology(c, name, metadata, d["cosmology"])


def compare_field(c, where, file, metadata, properties, field):
    path = field["path"].lstrip("/")
    columns = field["named_columns"]
    c.same(f"{where}: columns", columns and columns["names"], properties.named_columns[path])
    try:
        dataset = file[path]
    except KeyError:  # HDF5 2 does not open DMantissa fields of old files
        return
    attributes = dataset.attrs
    unit = attr_reader.load_field_units(attributes, metadata.units)
    c.unit(where, field["unit"]["name"], field["unit"]["cgs"], unit)
    c.same(f"{where}: dtype", field["dtype"], dataset.dtype.str)
    c.same(f"{where}: shape", field["shape"], list(dataset.shape))
    factor = attr_reader.load_field_cosmo_factor(attributes, metadata)
    c.close(f"{where}: exponent", metadata.scale_factor ** field["a_exponent"], factor.a_factor, 1e-12)
    c.same(f"{where}: frame", field["frame"] == "physical", bool(attr_reader.load_field_physical(attributes)))
    c.same(f"{where}: convertible", field["convertible"], bool(attr_reader.load_field_valid_transform(attributes)))
    description = attr_reader.load_field_description(attributes)
    mask = field["mask"]
    suffix = f"Only computed for objects where {' + '.join(mask['datasets'])} >= {mask['threshold']:g}." if mask else "Not masked."
    c.same(f"{where}: description", f"{field['description'] or 'No description available.'} {suffix}", description)
    lossy = attr_reader.load_field_compression(attributes)
    c.same(f"{where}: lossy filter", field["lossy_filter"], None if lossy in ("None", "No compression info available", "Not compressed.") else lossy)


def compare_cosmology(c, name, metadata, ours):
    raw = metadata.cosmology_raw or {}
    for attribute, value in raw.items():
        key = {"H0 [internal units]": "H0_internal", "T_CMB_0 [K]": "T_CMB_0_K", "Scale-factor": "scale_factor", "Redshift": "redshift"}.get(attribute, attribute)
        if key in ours and attribute != "Cosmological run":
            c.close(f"{name}: cosmology {attribute}", ours[key], value if isinstance(ours[key], list) else value[0], 0)
    theirs = metadata.cosmology
    c.same(f"{name}: is cosmological", ours is not None and ours["astropy"] is not None, theirs is not None)
    if theirs is not None:
        for argument in ("Om0", "Ode0", "w0", "wa", "Ob0", "Neff"):
            c.close(f"{name}: {argument}", ours["astropy"][argument], getattr(theirs, argument), 1e-12)
        # H0 carries swiftsimio's rounded unit of time.
        c.close(f"{name}: H0", ours["astropy"]["H0"], theirs.H0.value, 1e-5)
        c.close(f"{name}: Tcmb0", ours["astropy"]["Tcmb0"], theirs.Tcmb0.value, 1e-5)
        masses = theirs.m_nu.value if theirs.m_nu is not None else []
        c.close(f"{name}: m_nu", ours["astropy"]["m_nu"], masses, 1e-12)


def main():
    c = Comparison()
    for line in sys.stdin:
        case = json.loads(line)
        compare(c, case["path"], case["description"])
    json.dump({"n_compared": c.n_compared, "refused": c.refused, "differences": c.differences}, sys.stdout)


main()
