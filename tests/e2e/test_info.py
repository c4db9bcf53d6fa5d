"""/v1/info says of a file what swiftsimio 12 says, and answers for those that swiftsimio refuses."""

import astropy.units
import h5py
import numpy as np
import pytest
import swiftsimio
import unyt
from swiftsimio.metadata.field import attr_reader

from conftest import REFUSED_BY_SWIFTSIMIO, TEST_DATA, compared, swift_files

# swiftsimio rounds units to five digits where it knows them by another name (977.79 Gyr for a Mpc by km/s, off by 2.3e-6); ours are those
# of the file. Powers of them are further off.
ROUNDED = 1e-5
# What a file is, by how its name begins, where it is not a whole snapshot in one file.
KINDS = {"fof_catalogue": "fof_catalogue", "los": "line_of_sight", "snipshot": "subsampled"}

UNREADABLE_BY_H5PY = (("PartType4", "Coordinates"), ("PartType5", "Coordinates"))


def kind_of(name):
    return next((kind for start, kind in KINDS.items() if name.startswith(start)), "snapshot")


def form_of(name):
    if "_virtual_" not in name:
        return "single"
    return "virtual" if name.endswith("_0001.hdf5") else "part"


def close(left, right, rtol=1e-12):
    return np.allclose(np.asarray(left, "f8"), np.asarray(right, "f8"), rtol=rtol, atol=0)


@pytest.fixture
def info(http, mount, path):
    answer = http.get(f"/v1/info/{mount}/{path.name}")
    assert answer.status_code == 200, answer.text
    return answer.json()


@swift_files
def test_kind_header_and_counts(info, mount, path):
    assert info["kind"] == kind_of(path.name)
    assert info["distribution"]["form"] == form_of(path.name)
    header = info["header"]
    with h5py.File(path) as f:
        attributes = dict(f["Header"].attrs)
        assert header["box_size"] == np.broadcast_to(attributes["BoxSize"], 3).tolist()
        assert header["n_part_total"] == attributes["TotalNumberOfParticles"].tolist()
        assert header["n_part_this_file"] == attributes["NumPart_ThisFile"].tolist()
        for name, attribute in {"redshift": "Redshift", "scale_factor": "Scale-factor", "time": "Time"}.items():
            assert header[name] == attributes[attribute][0]
        groups = {g["group"]: g for g in info["groups"]}
        for group, described in groups.items():
            assert described["present"] == (group in f)
        for group in (name for name in f if name.startswith(("PartType", "LOS_", "Groups")) and isinstance(f.get(name, getlink=True), h5py.HardLink)):
            described = {field["path"].rsplit("/", 1)[1]: field for field in groups[group]["fields"]}
            assert set(described) == set(f[group])
            for name, field in described.items():
                if path.name.startswith("cosmo_box_dmantissa") and (group, name) in UNREADABLE_BY_H5PY:
                    continue
                assert field["shape"] == list(f[group][name].shape)
                assert field["dtype"] == f[group][name].dtype.newbyteorder("<").str, name
    compared["headers of /v1/info with h5py"] += 1


@swift_files
def test_agrees_with_swiftsimio(info, mount, path):
    if path.name in REFUSED_BY_SWIFTSIMIO:
        with pytest.raises(ValueError, match="File type SubSampled not recognised"):
            swiftsimio.load(str(path))
        assert info["groups"]
        return
    data = swiftsimio.load(str(path))
    metadata = data.metadata
    length = unyt.unyt_quantity(1, info["units"]["names"]["length"])
    assert close((info["header"]["box_size"][: len(metadata.boxsize)] * length).to_value("cm"), metadata.boxsize.to_value("cm"))
    assert_same_units(info["units"], metadata.units)
    assert_same_cosmology(info["cosmology"], metadata)
    groups = {g["name"]: g for g in info["groups"] if g["present"]}
    assert set(groups) == set(metadata.present_group_names)
    for name, group in groups.items():
        with h5py.File(path) as f:
            assert_same_fields(group, getattr(metadata, f"{name}_properties"), metadata, f)
        if kind_of(path.name) == "snapshot":
            assert group["n_rows"] == getattr(metadata, f"n_{name}")
    compared["files described as by swiftsimio"] += 1


def assert_same_units(units, expected):
    for name in ("mass", "length", "time", "current", "temperature"):
        theirs = getattr(expected, name)
        ours = unyt.unyt_quantity(1, units["names"][name])
        assert ours.units.dimensions == theirs.units.dimensions
        assert close(ours.in_base("mks").value, theirs.in_base("mks").value, ROUNDED), name


def assert_same_cosmology(cosmology, metadata):
    theirs = metadata.cosmology
    if theirs is None:
        assert cosmology["astropy"] is None
        return
    ours = cosmology["astropy"]
    assert close(ours["H0"], theirs.H0.to_value("km/(s Mpc)"), ROUNDED)
    for name in ("Om0", "Ode0", "w0", "wa", "Ob0", "Neff"):
        assert close(ours[name], getattr(theirs, name)), name
    assert close(ours["Tcmb0"], theirs.Tcmb0.to_value("K"))
    masses = [] if theirs.m_nu is None else theirs.m_nu.to_value("eV")
    assert close(np.sort(ours["m_nu"] or np.zeros_like(masses)), np.sort(masses))
    assert close(cosmology["scale_factor"], metadata.scale_factor)
    assert close(cosmology["redshift"], metadata.redshift)


def assert_same_fields(group, theirs, metadata, f):
    fields = {field["name"]: field for field in group["fields"]}
    assert sorted(fields) == sorted(theirs.field_names)
    for name, path in zip(theirs.field_names, theirs.field_paths, strict=True):
        field = fields[name]
        assert field["path"] == f"/{path}"
        assert (field["named_columns"] or {"names": None})["names"] == theirs.named_columns[path], name
        try:
            attributes = f[path].attrs
        except KeyError:
            # Current HDF5 does not open these two.
            assert tuple(path.split("/")) in UNREADABLE_BY_H5PY
            continue
        assert_same_unit(field["unit"], attr_reader.load_field_units(attributes, metadata.units), name)
        factor = attr_reader.load_field_cosmo_factor(attributes, metadata).a_factor
        assert close(float(metadata.scale_factor) ** field["a_exponent"], float(factor)), name
        assert (field["frame"] == "physical") == attr_reader.load_field_physical(attributes), name
        assert field["convertible"] == attr_reader.load_field_valid_transform(attributes), name
        assert (field["lossy_filter"] or "None") == attr_reader.load_field_compression(attributes).replace("Not compressed.", "None"), name
        assert field["description"] == attr_reader.load_field_description(attributes).removesuffix(" Not masked."), name
        compared["fields described as by swiftsimio"] += 1


def assert_same_unit(ours, theirs, name):
    parsed, theirs = unyt.Unit(ours["name"]), 1.0 * theirs
    assert parsed.dimensions == theirs.units.dimensions, name
    assert close(parsed.base_value, theirs.units.base_value * theirs.value, ROUNDED), name
    # astropy reads the same text, with a slightly different solar mass.
    scale = astropy.units.Unit(ours["name"]).cgs.scale
    assert np.isclose(scale, ours["cgs"], rtol=1e-3), name


def test_a_file_that_is_not_by_swift(http, scratch):
    with h5py.File(scratch / "other.h5", "w") as f:
        f["x"] = np.arange(3)
    info = http.get("/v1/info/scratch/other.h5").json()
    assert info["kind"] == "not_swift"
    assert info["groups"] == []


def test_named_columns_and_lossy_filters_are_told(http):
    info = http.get("/v1/info/data/cosmo_box_lossy_nogzip.hdf5").json()
    gas = next(g for g in info["groups"] if g["name"] == "gas")
    fields = {field["name"]: field for field in gas["fields"]}
    with h5py.File(TEST_DATA / "cosmo_box_lossy_nogzip.hdf5") as f:
        stored = [name.decode() for name in f["SubgridScheme/NamedColumns/ElementMassFractions"][()]]
        lossy = {name: item.attrs["Lossy compression filter"].decode() for name, item in f["PartType0"].items()}
    assert fields["element_mass_fractions"]["named_columns"]["stored"] == stored
    told = {field["path"].rsplit("/", 1)[1]: field["lossy_filter"] or "None" for field in gas["fields"]}
    assert told == lossy
    assert len(set(lossy.values())) > 5
