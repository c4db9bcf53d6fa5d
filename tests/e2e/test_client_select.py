"""Selections through the Python package apus: compared with h5py, numpy, swiftsimio, pandas and pyarrow on the same file."""

import json
import os
import subprocess
import sys

import apus
import apus.transport
import h5py
import numpy as np
import pandas
import pyarrow.parquet
import pytest
import swiftsimio
import unyt
from astropy import units
from swiftsimio.visualisation import generate_smoothing_lengths, project_gas, project_pixel_grid

from conftest import REPOSITORY
from faulty_proxy import FaultyProxy
from select_reference import box_sides, in_box, in_sample, in_sphere

DEMO = REPOSITORY / "demo" / "cosmic_web_0002.hdf5"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The file of the demo, which has real structure, as the package opens it."""
    from apus_server import Server

    with Server({"demo": DEMO.parent}, tmp_path_factory.mktemp("demo")) as server:
        yield apus.connect(server.url).open(f"demo/{DEMO.name}")


@pytest.fixture(scope="module")
def truth():
    """All of the gas of that file, by the names in it; `sides` of the box, scale factor `a`."""
    with h5py.File(DEMO) as f:
        columns = {name: f["PartType0"][name][()] for name in f["PartType0"]}
        return columns | {"sides": box_sides(f), "a": float(f["Header"].attrs["Scale-factor"][0])}


@pytest.fixture(scope="module")
def inside(truth):
    return in_sphere(truth["Coordinates"], [22.1, 25.5, 27.4, 2.0], truth["sides"])


@pytest.fixture
def proxy(demo):
    with FaultyProxy(demo.connection.url) as proxy:
        yield proxy


@pytest.fixture
def no_sleep(monkeypatch):
    monkeypatch.setattr(apus.transport.time, "sleep", lambda _: None)


SPHERE = (22.1, 25.5, 27.4, 2.0)


def same(left, right):
    left, right = np.asarray(left), np.asarray(right)
    return (left.dtype, left.shape, left.tobytes()) == (right.dtype, right.shape, right.tobytes())


# ------------------------------------------------------------------------------------------------------------------- values


def test_values_are_cosmo_arrays(demo, truth, inside):
    assert 10 < inside.sum() < len(inside) / 2
    selection = demo.gas.select("coordinates", "masses", sphere=SPHERE)
    assert list(selection) == ["coordinates", "masses"]
    assert selection.n_rows == {"gas": inside.sum()}
    expected = swiftsimio.load(str(DEMO)).gas
    for name, theirs in (("coordinates", expected.coordinates), ("masses", expected.masses)):
        got = selection[name]
        assert same(got, np.asarray(theirs)[inside])
        assert type(got) is swiftsimio.cosmo_array
        assert getattr(selection, name) is got
        assert (got.comoving, got.valid_transform, got.compression) == (theirs.comoving, theirs.valid_transform, theirs.compression)
        assert got.cosmo_factor == theirs.cosmo_factor
        assert np.isclose(float(got.units.base_value), float(theirs.units.base_value), rtol=1e-5, atol=0)
        assert got.units.dimensions == theirs.units.dimensions


def test_one_request_when_it_is_used(proxy):
    file = apus.connect(proxy.url).open(f"demo/{DEMO.name}")
    proxy.requests.clear()
    selection = file.gas.select("coordinates", "masses", "velocities", sphere=SPHERE)
    repr(selection), dir(selection), hasattr(selection, "shape"), hasattr(selection, "_repr_html_")
    assert proxy.requests == []
    selection.coordinates, selection["masses"], selection.velocities, selection.n_rows
    assert [(method, path) for method, path, _ in proxy.requests] == [("POST", f"/v1/select/demo/{DEMO.name}")]


def test_several_types(demo, truth, inside):
    got = demo.select("gas.masses", "dark_matter.coordinates", "/PartType0/ParticleIDs", sphere=SPHERE)
    with h5py.File(DEMO) as f:
        positions, sides = f["PartType1/Coordinates"][()], truth["sides"]
    assert same(got["gas.masses"], truth["Masses"][inside])
    assert same(got.gas.masses, truth["Masses"][inside])
    assert same(got.dark_matter.coordinates, positions[in_sphere(positions, SPHERE, sides)])
    assert same(got["/PartType0/ParticleIDs"], truth["ParticleIDs"][inside])
    assert set(got.n_rows) == {"gas", "dark_matter"}


def test_names_of_every_kind(demo, truth, inside):
    got = demo.gas.select("velocities.x", "Masses", "/PartType0/Densities", sphere=SPHERE)
    assert list(got) == ["velocities.x", "Masses", "/PartType0/Densities"]
    assert same(got["velocities.x"], truth["Velocities"][inside, 0])
    assert same(got.velocities.x, truth["Velocities"][inside, 0])
    assert same(got["Masses"], truth["Masses"][inside])
    assert got["/PartType0/Densities"].comoving is True
    everything = demo.gas.select("*", sphere=SPHERE)
    assert set(everything) == set(demo.gas)
    for name, array in everything.items():
        assert same(array, truth[demo.gas[name].path.rsplit("/", 1)[-1]][inside]), name
    assert same(everything.temperatures, truth["Temperatures"][inside])


def test_arrays_of_every_kind(demo, truth, inside):
    for kind, expected in (("unyt", unyt.unyt_array), ("astropy", units.Quantity), ("numpy", np.ndarray)):
        got = demo.gas.select("masses", sphere=SPHERE, arrays=kind)["masses"]
        assert type(got) is expected
        assert same(got, truth["Masses"][inside])


def test_units_and_frames_of_the_answer(demo, truth, inside):
    got = demo.gas.select("coordinates", "masses", sphere=SPHERE, unit=["kpc", unyt.Msun], frame="physical")
    expected = swiftsimio.load(str(DEMO)).gas
    theirs = expected.coordinates[inside].to_physical()
    assert got.coordinates.units == unyt.kpc
    assert got.coordinates.comoving is False
    assert np.isclose(float(got.masses.units.base_value), float(unyt.Msun.in_mks().value), rtol=1e-12, atol=0)
    assert np.allclose(got.coordinates.value, theirs.to_value("kpc"), rtol=1e-5, atol=0)
    assert np.allclose(got.masses.value, expected.masses[inside].to_physical().to_value("Msun"), rtol=1e-5, atol=0)
    # They agree with themselves: back in the comoving frame they are what is stored.
    assert np.allclose(got.coordinates.to_comoving().to_value("Mpc"), truth["Coordinates"][inside], rtol=1e-5, atol=0)


def test_more_fields_than_a_header_tells(demo, truth, inside, proxy):
    """Where the note on units does not come, the explanation tells the same."""
    proxy.hidden = {"apus-fields"}
    file = apus.connect(proxy.url).open(f"demo/{DEMO.name}")
    got, expected = (f.gas.select("coordinates", "masses", sphere=SPHERE, unit="kpc", frame="physical") for f in (file, demo))
    for name in expected:
        assert same(got[name], expected[name])
        assert (got[name].units, got[name].comoving) == (expected[name].units, expected[name].comoving)
        assert got[name].cosmo_factor == expected[name].cosmo_factor


@pytest.mark.parametrize("unit", ["km / s", "1e3 m s**-1", "1000*m/s", unyt.km / unyt.s, unyt.Unit("km/s"), units.km / units.s])
def test_units_of_every_package(demo, truth, unit):
    got = demo.gas.select("velocities", limit=9, unit=unit, frame="physical").velocities
    assert got.units.same_dimensions_as(unyt.km / unyt.s)
    assert np.isclose(float(got.units.base_value), 1000, rtol=1e-12, atol=0)
    assert np.allclose(got.to_value("km/s"), swiftsimio.load(str(DEMO)).gas.velocities[:9].to_physical().to_value("km/s"), rtol=1e-5, atol=0)


# ------------------------------------------------------------------------------------------------------------------ regions


def spheres_of(a):
    """The same sphere in every way that it can be said."""
    x, y, z, radius = SPHERE
    cosmo = {"scale_factor": a, "scale_exponent": 1}
    centre = swiftsimio.cosmo_array([x, y, z], unyt.Mpc, comoving=True, **cosmo)
    return {
        "numbers": SPHERE,
        "centre and radius": ((x, y, z), radius),
        "array": np.array(SPHERE),
        "list of one": [SPHERE],
        "unyt": (unyt.unyt_array([x, y, z], "Mpc"), unyt.unyt_quantity(radius * 1000, "kpc")),
        "unyt array": unyt.unyt_array(np.array(SPHERE) * 1000, "kpc"),
        "astropy": ([x, y, z] * units.Mpc, radius * 1e6 * units.pc),
        "cosmo_array": (centre, swiftsimio.cosmo_quantity(radius, unyt.Mpc, comoving=True, **cosmo)),
        "physical": (centre.to_physical().to("kpc"), swiftsimio.cosmo_quantity(radius * a, unyt.Mpc, comoving=False, **cosmo)),
        "mixed": (centre, unyt.unyt_quantity(radius, "Mpc")),
        "each": tuple(unyt.unyt_quantity(number, "Mpc") for number in SPHERE),
    }


@pytest.mark.parametrize("said", spheres_of(1.0))
def test_spheres(demo, truth, inside, said):
    assert truth["a"] != 1 or "physical" not in said
    ids = demo.gas.select("particle_ids", sphere=spheres_of(truth["a"])[said], arrays="numpy")["particle_ids"]
    assert same(ids, truth["ParticleIDs"][inside])


def test_a_physical_region(demo, truth, inside):
    a = truth["a"]
    physical = np.array(SPHERE) * a
    in_kpc = physical * 1000
    for sphere, how in (
        (in_kpc, {"region_unit": "kpc", "region_frame": "physical"}),
        (in_kpc, {"region_unit": unyt.kpc, "region_frame": "physical"}),
        (unyt.unyt_array(physical, "Mpc"), {"region_unit": "kpc", "region_frame": "physical"}),
        (unyt.unyt_array(physical, "Mpc"), {"region_frame": "physical"}),
        (swiftsimio.cosmo_array(SPHERE, unyt.Mpc, comoving=True, scale_factor=a, scale_exponent=1), {"region_frame": "physical"}),
        # Physical lengths of another time are the same lengths here.
        (swiftsimio.cosmo_array(physical, unyt.Mpc, comoving=False, scale_factor=0.3, scale_exponent=1), {}),
        # Comoving positions of another time are the same positions here.
        (swiftsimio.cosmo_array(SPHERE, unyt.Mpc, comoving=True, scale_factor=0.3, scale_exponent=1), {}),
    ):
        assert same(demo.gas.select("particle_ids", sphere=sphere, arrays="numpy", **how)["particle_ids"], truth["ParticleIDs"][inside])


def test_boxes(demo, truth):
    sides = truth["sides"]
    bounds = [0.9 * sides[0], 0.3 * sides[0], None, 0.5 * sides[1], 0.25 * sides[2], None]
    pairs = [[bounds[0], bounds[1]], [None, bounds[3]], [bounds[4], None]]
    expected = truth["ParticleIDs"][in_box(truth["Coordinates"], bounds, sides)]
    with_units = [None if pair is None else [None if b is None else unyt.unyt_quantity(b, "Mpc") for b in pair] for pair in pairs]
    infinite = [-np.inf if b is None and i % 2 == 0 else np.inf if b is None else b for i, b in enumerate(bounds)]
    for box in (bounds, pairs, [bounds], [pairs], with_units, infinite, np.array(infinite)):
        assert same(demo.gas.select("particle_ids", box=box, arrays="numpy")["particle_ids"], expected)
    other = [0, 2, 0, 2, 0, 2]
    either = in_box(truth["Coordinates"], bounds, sides) | in_box(truth["Coordinates"], other, sides)
    got = demo.gas.select("particle_ids", box=[pairs, other], sphere=SPHERE, arrays="numpy")["particle_ids"]
    assert same(got, truth["ParticleIDs"][either | in_sphere(truth["Coordinates"], SPHERE, sides)])
    assert len(demo.gas.select("particle_ids", box=[None, None, None])["particle_ids"]) == len(truth["ParticleIDs"])


def test_cells_are_swiftsimios(demo):
    """A mask's own region, as it is given to swiftsimio, picks the same rows."""
    mask = swiftsimio.mask(str(DEMO))
    size = mask.metadata.boxsize
    region = [[0.2 * size[0], 0.5 * size[0]], None, [0.8 * size[2], 1.1 * size[2]]]
    mask.constrain_spatial(region)
    expected = swiftsimio.load(str(DEMO), mask=mask)
    got = demo.select("gas.coordinates", "dark_matter.particle_ids", box=region, rows="cells")
    assert same(got.gas.coordinates, expected.gas.coordinates)
    assert same(got.dark_matter.particle_ids, expected.dark_matter.particle_ids)


def test_what_is_no_region(demo):
    for sphere in ((1, 2, 3), (1, 2, 3, 4, 5), [], "1,2,3,4", (1, 2, 3, float("nan")), (1, 2, 3, None), ((1, 2), 3)):
        with pytest.raises((ValueError, TypeError), match="sphere"):
            demo.gas.select("masses", sphere=sphere)
    for box in ((1, 2, 3), [1, 2, 3, 4, 5], 5, [[1, 2], [3, 4]], [np.nan] * 6, [np.inf, 0, 0, 0, 0, 0]):
        with pytest.raises((ValueError, TypeError), match="box"):
            demo.gas.select("masses", box=box)
    for length in (unyt.unyt_quantity(1, "kg"), 1 * units.s):
        with pytest.raises(ValueError, match="is no length"):
            demo.gas.select("masses", sphere=((1, 2, 3), length))


# --------------------------------------------------------------------------------------------------------------- conditions


def test_conditions(demo, truth, inside):
    temperature, density = (float(np.median(truth[name][inside])) for name in ("Temperatures", "Densities"))
    hot, dense = truth["Temperatures"] > np.float32(temperature), truth["Densities"] > np.float32(density)
    unit = demo.gas["densities"].unit
    one = f"temperatures > {temperature!r} K"
    got = demo.gas.select("particle_ids", sphere=SPHERE, where=one, arrays="numpy")["particle_ids"]
    assert 0 < len(got) < inside.sum()
    assert same(got, truth["ParticleIDs"][inside & hot])
    both = [one, f"densities > {density!r} * {unit.replace('*', ' ', 1)} comoving"]
    got = demo.gas.select("particle_ids", sphere=SPHERE, where=both, arrays="numpy")["particle_ids"]
    assert same(got, truth["ParticleIDs"][inside & hot & dense])


def test_ids_samples_strides_and_limits(demo, truth):
    ids = truth["ParticleIDs"]
    wanted = ids[[5, 17, 4000]]
    expected = ids[np.isin(ids, wanted)]
    for said in (wanted, wanted.tolist(), swiftsimio.load(str(DEMO)).gas.particle_ids[[5, 17, 4000]]):
        assert same(demo.gas.select("particle_ids", ids=said, arrays="numpy")["particle_ids"], expected)
    with pytest.raises(TypeError, match="no whole numbers"):
        demo.gas.select("masses", ids=[1.5])
    assert same(demo.gas.select("particle_ids", sample=0.1, arrays="numpy")["particle_ids"], ids[in_sample(ids, 0.1)])
    assert same(demo.gas.select("particle_ids", stride=7, limit=30, arrays="numpy")["particle_ids"], ids[::7][:30])
    nothing = demo.gas.select("coordinates", "particle_ids", ids=[])
    assert (nothing.coordinates.shape, nothing.coordinates.dtype) == ((0, 3), truth["Coordinates"].dtype)
    assert nothing.n_rows == {"gas": 0}


# -------------------------------------------------------------------------------------------------------------- other forms


def test_pandas(demo, truth, inside, tmp_path):
    selection = demo.gas.select("particle_ids", "coordinates", "temperatures", sphere=SPHERE)
    frame = selection.to_pandas()
    expected = {"particle_ids": truth["ParticleIDs"][inside]}
    expected |= {f"coordinates.{axis}": truth["Coordinates"][inside, i] for i, axis in enumerate("xyz")}
    expected["temperatures"] = truth["Temperatures"][inside]
    pandas.testing.assert_frame_equal(frame, pandas.DataFrame(expected))
    assert unyt.Unit(frame.attrs["units"]["coordinates.y"]) == unyt.Mpc
    assert frame.attrs["file"] == f"demo/{DEMO.name}"
    # The server's CSV has the same columns.
    written = pandas.read_csv(selection.save(tmp_path / "some.csv"))
    assert [name.removeprefix("gas.") for name in written.columns] == list(frame.columns)


def test_arrow(demo, truth, inside):
    table = demo.gas.select("particle_ids", "coordinates", sphere=SPHERE).to_arrow()
    assert table.column_names == ["particle_ids", "coordinates"]
    assert same(table["particle_ids"].to_numpy(), truth["ParticleIDs"][inside])
    assert same(table["coordinates"].combine_chunks().flatten().to_numpy().reshape(-1, 3), truth["Coordinates"][inside])
    assert table.schema.field("coordinates").metadata[b"frame"] == b"comoving"
    assert float(table.schema.metadata[b"scale_factor"]) == truth["a"]


def test_a_table_is_of_one_type(proxy):
    """Also where both types have the same number of rows, which do not belong together."""
    file = apus.connect(proxy.url).open(f"demo/{DEMO.name}")
    proxy.requests.clear()
    both = file.select("gas.masses", "/PartType0/ParticleIDs", "dark_matter.*", limit=7)
    for read in (both.to_pandas, both.to_arrow):
        with pytest.raises(apus.BadRequest, match=rf"of gas and dark_matter: take one, as in selection\['gas'\]\.{read.__name__}\(\)"):
            read()
    assert proxy.requests == []
    assert both.types == ["gas", "dark_matter"]
    frame, table = both["gas"].to_pandas(), both["gas"].to_arrow()
    assert list(frame.columns) == table.column_names == ["masses", "/PartType0/ParticleIDs"]
    with h5py.File(DEMO) as f:
        for name, path in (("masses", "PartType0/Masses"), ("/PartType0/ParticleIDs", "PartType0/ParticleIDs")):
            assert same(frame[name], f[path][:7])
            assert same(table[name].to_numpy(), f[path][:7])
        assert same(both.dark_matter.to_pandas()["masses"], f["PartType1/Masses"][:7])
        assert same(both["dark_matter"].particle_ids, f["PartType1/ParticleIDs"][:7])
    assert both["dark_matter"].n_rows == {"dark_matter": 7}
    # The values of both came in one request, and the table in another.
    assert len(proxy.requests) == 2


def test_saved_as_a_snapshot(demo, truth, inside, tmp_path):
    got = demo.gas.select("coordinates", "masses", "smoothing_lengths", sphere=SPHERE).save(tmp_path / "sub.hdf5")
    assert os.listdir(tmp_path) == ["sub.hdf5"]
    data = swiftsimio.load(str(got))
    assert same(data.gas.coordinates, truth["Coordinates"][inside])
    assert same(data.gas.masses, truth["Masses"][inside])


def test_pictures_of_a_selection_in_memory(demo, tmp_path):
    """swiftsimio draws it as it draws the whole file around the same place."""
    region = swiftsimio.cosmo_array([20, 24, 23, 28, 25, 30], "Mpc", comoving=True, scale_factor=demo.scale_factor, scale_exponent=1)
    fields = ("coordinates", "masses", "smoothing_lengths", "temperatures")
    # With the particles outside whose kernels reach into the region.
    got = demo.gas.select(*fields, box=[[14, 30], [17, 34], [19, 36]]).swiftsimio()
    local = swiftsimio.load(str(DEMO))
    assert 0 < got.metadata.n_gas < local.metadata.n_gas
    assert type(got.gas.masses) is swiftsimio.cosmo_array
    for project in ({}, {"project": "temperatures"}):
        pictures = [project_gas(data, resolution=64, region=region, parallel=False, **project) for data in (got, local)]
        assert np.allclose(pictures[0], pictures[1], rtol=1e-5, atol=0) and pictures[0].min() > 0
        assert (pictures[0].units, pictures[0].cosmo_factor) == (pictures[1].units, pictures[1].cosmo_factor)
    dark = demo.dark_matter.select("coordinates", "masses", box=[[20, 24], [23, 28], [25, 30]]).swiftsimio().dark_matter
    dark.smoothing_lengths = generate_smoothing_lengths(dark.coordinates, got.metadata.boxsize, kernel_gamma=1.8, neighbours=57, speedup_fac=2, dimension=3)
    picture = project_pixel_grid(dark, resolution=32, region=region[:4], parallel=False)
    assert picture.sum() > 0
    # The file in memory is one of h5py, which a mask takes too.
    handle = demo.gas.select(*fields, box=[[14, 30], [17, 34], [19, 36]]).hdf5()
    assert handle["PartType0/Masses"].shape == got.gas.masses.shape
    mask = swiftsimio.mask(handle)
    mask.constrain_spatial([region[:2], None, None])
    assert 0 < len(swiftsimio.load(handle, mask=mask).gas.masses) <= len(got.gas.masses)


def test_saved_in_other_forms(demo, truth, inside, tmp_path):
    selection = demo.gas.select("particle_ids", "masses", sphere=SPHERE)
    table = pyarrow.parquet.read_table(selection.save(tmp_path / "sub.parquet"))
    assert same(table["gas.masses"].to_numpy(), truth["Masses"][inside])
    with np.load(selection.save(str(tmp_path / "sub.npz"))) as archive:
        assert same(archive["gas.particle_ids"], truth["ParticleIDs"][inside])
    assert np.array_equal(json.loads(selection.save(tmp_path / "sub.json").read_text())["gas.particle_ids"], truth["ParticleIDs"][inside])
    with pyarrow.ipc.open_stream(selection.save(tmp_path / "sub.arrows").read_bytes()) as reader:
        assert reader.read_all().num_rows == inside.sum()
    with pytest.raises(FileExistsError, match="overwrite=True"):
        selection.save(tmp_path / "sub.npz")
    selection.save(tmp_path / "sub.npz", overwrite=True)
    with pytest.raises(ValueError, match=r"no form has the suffix '\.fits'; there are \.hdf5"):
        selection.save(tmp_path / "sub.fits")


def test_explain(demo, inside):
    explained = demo.gas.select("coordinates", sphere=SPHERE).explain()
    (group,) = explained["groups"]
    assert group["name"] == "gas"
    assert inside.sum() <= group["n_candidates"] <= len(inside)
    assert group["fields"][0]["name"] == "gas.coordinates"


# ------------------------------------------------------------------------------------------------------- what can go wrong


@pytest.mark.parametrize("cuts", [[0], [3], [40, 1000, 1, 0]])
def test_a_broken_transfer_goes_on(proxy, no_sleep, truth, inside, cuts, tmp_path):
    file = apus.connect(proxy.url).open(f"demo/{DEMO.name}")
    proxy.requests.clear()
    proxy.cuts = list(cuts)
    got = file.gas.select("coordinates", "masses", sphere=SPHERE)
    assert same(got.coordinates, truth["Coordinates"][inside])
    assert same(got.masses, truth["Masses"][inside])
    assert len(proxy.requests) == len(cuts) + 1
    assert sum("Range" in headers for _, _, headers in proxy.requests) >= len(cuts) - 1
    proxy.cuts = [1000, 5000]
    assert same(swiftsimio.load(str(got.save(tmp_path / "sub.hdf5"))).gas.masses, truth["Masses"][inside])


def test_a_saved_part_is_gone_on_with(proxy, no_sleep, demo, tmp_path):
    expected = demo.gas.select("coordinates", "masses", sphere=SPHERE).save(tmp_path / "whole.hdf5").read_bytes()
    selection = apus.connect(proxy.url).open(f"demo/{DEMO.name}").gas.select("coordinates", "masses", sphere=SPHERE)
    proxy.cuts = [1000] + [0] * 4
    with pytest.raises(apus.Broken, match=r"after 1000 of .*sub\.hdf5\.part: repeat to go on"):
        selection.save(tmp_path / "sub.hdf5")
    assert (tmp_path / "sub.hdf5.part").read_bytes() == expected[:1000]
    proxy.requests.clear()
    assert selection.save(tmp_path / "sub.hdf5").read_bytes() == expected
    assert [headers["Range"] for _, _, headers in proxy.requests] == ["bytes=1000-"]
    assert sorted(os.listdir(tmp_path)) == ["sub.hdf5", "whole.hdf5"]
    # A part of another selection is not gone on with.
    proxy.cuts = [1000] + [0] * 4
    with pytest.raises(apus.Broken):
        selection.save(tmp_path / "other.hdf5")
    proxy.cuts = []
    other = demo.gas.select("masses", limit=5).save(tmp_path / "other.hdf5")
    assert len(swiftsimio.load(str(other)).gas.masses) == 5


@pytest.mark.parametrize("read", [lambda s: s.to_arrow(), lambda s: s.save("sub.parquet"), lambda s: s.save("sub.csv")])
def test_a_part_of_a_table_is_never_the_whole(proxy, no_sleep, read, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = apus.connect(proxy.url).open(f"demo/{DEMO.name}")
    for cut in (0, 10, 2000):
        proxy.cuts = [cut]
        with pytest.raises(apus.Broken):
            read(file.gas.select("coordinates", sphere=SPHERE))
    assert not any(name in os.listdir() for name in ("sub.parquet", "sub.csv"))


@pytest.mark.parametrize("at", [2, 60, 5000, -30])
def test_a_damaged_archive(proxy, at):
    """Values that are not those of their checksum are not given; nor is what is no archive."""
    file = apus.connect(proxy.url).open(f"demo/{DEMO.name}")
    proxy.flips = [at]
    selection = file.gas.select("coordinates", sphere=SPHERE)
    if at == -30:  # in the directory, which repeats what was there
        assert selection.coordinates.shape[1] == 3
    else:
        with pytest.raises(apus.Broken):
            selection.read()


def test_errors_have_the_servers_words(demo):
    with pytest.raises(apus.BadRequest, match="column 16"):
        demo.gas.select("masses", where="temperatures > 1e5 kpc").read()
    with pytest.raises(TypeError, match="needs fields"):
        demo.gas.select()
    with pytest.raises(apus.NotFound, match="was not asked for; there are masses"):
        demo.gas.select("masses", limit=1)["coordinates"]
    with pytest.raises(AttributeError, match="'coordinates' is not selected; there are masses"):
        demo.gas.select("masses", limit=1).coordinates


UNKNOWN = {
    "gas.mass": "gas: no field 'mass'; did you mean 'masses'", "gass.masses": "no group 'gass'; did you mean 'gas'",
    "stars_of_the_sea.masses": "no group 'stars_of_the_sea'; there are gas, dark_matter", "gas": "'gas' is a group, not a field: give gas.*",
    "gas.": "is a group, not a field", "masses": "no group 'masses'; there are", "/PartType0/Mass": "no field '/PartType0/Mass'; did you mean '/PartType0/Masses'",
    "gas.velocities.w": "velocities: no column 'w'; there are x, y, z", "gas.masses.x": "masses: no column 'x'; there are none", "*": "no group",
}  # fmt: skip


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_field_that_there_is_not_is_refused_at_once(demo, proxy, name):
    """As the server refuses it, which is not asked."""
    file = apus.connect(proxy.url).open(f"demo/{DEMO.name}")
    proxy.requests.clear()
    with pytest.raises(apus.NotFound, match=UNKNOWN[name].replace("*", r"\*")):
        file.select("gas.coordinates", name)
    if name.startswith("gas."):
        with pytest.raises(apus.NotFound, match=UNKNOWN[name].replace("*", r"\*")):
            file.gas.select(name.removeprefix("gas."))
    assert proxy.requests == []
    with demo.connection._transport.session.get(f"{demo.connection.url}/v1/select/demo/{DEMO.name}", params={"fields": name}) as answer:
        assert answer.status_code == 404


OUT_OF_RANGE = [
    ({"sample": 2}, "sample=2: expected a fraction"), ({"sample": -0.1}, "fraction"), ({"sample": float("nan")}, "fraction"),
    ({"sphere": SPHERE, "padding": 1.5}, "padding=1.5: expected a fraction"), ({"padding": 0.1}, "padding: there is no region"),
    ({"stride": 0}, "stride=0: expected a whole number of at least 1"), ({"limit": -1}, "limit=-1: expected a whole number of at least 0"),
    ({"limit": 2.5}, "whole number"), ({"rows": "particle"}, "rows='particle': expected 'particles' or 'cells'"),
    ({"frame": "proper"}, "frame='proper': expected 'comoving' or 'physical'"), ({"sphere": SPHERE, "region_frame": "x"}, "region_frame='x'"),
    ({"region_unit": "kpc"}, "region_unit: there is neither box nor sphere"), ({"region_frame": "physical"}, "region_frame: there is neither"),
    ({"members": True}, "members: for which halo"), ({"aperture": 1}, "aperture: for which halo"), ({"catalogue": "x"}, "catalogue: for which halo"),
    ({"group": -1}, "group: -1 is no id of a halo"), ({"sphere": (1, 2, 3, -1)}, "sphere: the radius is -1.0, below 0"),
    ({"limit": float("inf")}, "whole number"), ({"group": 1, "aperture": 1}, "aperture: the centre of the halo is in a catalogue"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "message"), OUT_OF_RANGE)
def test_a_parameter_out_of_range_is_refused_at_once(demo, said, message):
    with pytest.raises(apus.BadRequest, match=message):
        demo.gas.select("masses", **said)
    # The server refuses it too, where it can be said at all.
    plain = {name: ",".join(map(str, value)) if isinstance(value, tuple) else str(value).lower() for name, value in said.items()}
    with demo.connection._transport.session.get(f"{demo.connection.url}/v1/select/demo/{DEMO.name}", params={"fields": "gas.masses", **plain}) as answer:
        assert 400 <= answer.status_code < 500, answer.text


def test_parameters_of_another_type(demo):
    for said in (
        {"sample": "0.1"}, {"stride": "2"}, {"limit": True}, {"members": 1, "group": 1}, {"sphere": "1,2,3,4"}, {"where": 5}, {"where": ["x > 1", 5]},
        {"catalogue": 5, "group": 1}, {"group": [1, 2]}, {"ids": ["a"]},
    ):  # fmt: skip
        with pytest.raises(TypeError, match=next(iter(said))):
            demo.gas.select("masses", **said)
    for name in (5, ["masses", "coordinates"]):
        with pytest.raises(TypeError, match="is no name of a field; names stand one by one"):
            demo.gas.select(name)
    assert demo.gas.select("masses", limit=1e1, stride=np.int64(2)).n_rows == {"gas": 10}


def test_a_catalogue_that_there_is_not(demo):
    with pytest.raises(apus.NotFound, match=f"no such file or folder 'demo/fof_cosmic_web.hdf5'; did you mean 'demo/{FOF.name}'"):
        demo.gas.select("masses", group=1, catalogue="demo/fof_cosmic_web.hdf5").read()


def test_padding_widens_cells(demo, truth, inside):
    """In a file without particles that drifted far, the rows are those of an exact selection."""
    assert same(demo.gas.select("particle_ids", sphere=SPHERE, padding=1, arrays="numpy")["particle_ids"], truth["ParticleIDs"][inside])


def test_without_the_optional_packages(demo, tmp_path):
    """Plain arrays, and a word on what is missing."""
    for name in ("swiftsimio", "unyt", "astropy", "pandas", "pyarrow", "tqdm", "hdfstream"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('not here')")
    script = f"""
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in ("swiftsimio", "unyt", "astropy") else found(name, *rest)
import apus
selection = apus.connect({demo.connection.url!r}).open("demo/{DEMO.name}").gas.select("masses", limit=3)
print(type(selection.masses).__name__, len(selection.masses))
for read in (selection.to_pandas, selection.to_arrow):
    try:
        read()
    except ImportError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], env=os.environ | {"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "ndarray 3"
    assert "pip install pandas" in lines[1]
    assert "pip install pyarrow" in lines[2]


# -------------------------------------------------------------------------------------------------------------------- halos

FOF = DEMO.parent / f"fof_{DEMO.name}"


@pytest.fixture(scope="module")
def largest():
    """The largest group of the demo: its id, centre and radius."""
    with h5py.File(FOF) as f:
        row = int(np.argmax(f["Groups/Sizes"][()]))
        return int(f["Groups/GroupIDs"][row]), f["Groups/Centres"][row].tolist(), float(f["Groups/Radii"][row])


def test_members_of_halos(demo, truth, largest):
    group, _, _ = largest
    members = truth["FOFGroupIDs"] == group
    assert members.sum() > 100
    catalogue = demo.connection.open(f"demo/{FOF.name}")
    for one in (catalogue, catalogue.path, catalogue.fof_groups):
        assert same(demo.gas.select("particle_ids", group=group, catalogue=one).particle_ids, truth["ParticleIDs"][members])
    some = np.array([1, 3, 2, 3])
    several = demo.select("gas.particle_ids", groups=some, catalogue=catalogue)
    assert same(several.gas.particle_ids, truth["ParticleIDs"][np.isin(truth["FOFGroupIDs"], some)])
    with pytest.raises(TypeError, match="groups: float64 values are no whole numbers"):
        demo.gas.select("masses", groups=[1.5], catalogue=catalogue)
    with pytest.raises(apus.NotFound, match="halo 100000"):
        demo.gas.select("masses", group=100_000, catalogue=catalogue).masses


def test_apertures_of_every_kind(demo, truth, largest):
    group, centre, radius = largest
    a = truth["a"]
    physical = swiftsimio.cosmo_quantity(0.8, unyt.Mpc, comoving=False, scale_factor=a, scale_exponent=1)
    apertures = [
        ("radii", radius), ("0.7 Mpc", 0.7), ("700 kpc physical", 0.7 / a), (0.7, 0.7), (1, 1.0), (unyt.unyt_quantity(900, "kpc"), 0.9), (physical, 0.8 / a),
        (650 * units.kpc, 0.65),
    ]  # fmt: skip
    for aperture, length in apertures:
        inside = in_sphere(truth["Coordinates"], [*centre, length], truth["sides"])
        got = demo.gas.select("particle_ids", group=group, catalogue=f"demo/{FOF.name}", aperture=aperture).particle_ids
        assert 10 < inside.sum() and same(np.sort(got), np.sort(truth["ParticleIDs"][inside])), aperture
        both = inside & (truth["FOFGroupIDs"] == group)
        got = demo.gas.select("particle_ids", group=group, catalogue=f"demo/{FOF.name}", aperture=aperture, members=True).particle_ids
        assert same(np.sort(got), np.sort(truth["ParticleIDs"][both])), aperture
    with pytest.raises(ValueError, match="no length"):
        demo.gas.select("masses", group=group, catalogue=f"demo/{FOF.name}", aperture=unyt.unyt_quantity(1, "kg"))
    with pytest.raises(ValueError, match="one length"):
        demo.gas.select("masses", group=group, catalogue=f"demo/{FOF.name}", aperture=[1, 2])
    with pytest.raises(apus.BadRequest, match="r200c"):
        demo.gas.select("masses", group=group, catalogue=f"demo/{FOF.name}", aperture="r200c").masses
