"""Pictures, histograms, profiles and statistics through the Python package apus: compared with swiftsimio and numpy on the same file."""

import os
import subprocess
import sys

import apus
import h5py
import numpy as np
import pytest
import swiftsimio
import unyt
from astropy import units
from swiftsimio.visualisation import project_gas

from apus_server import Server
from conftest import REPOSITORY

DEMO = REPOSITORY / "demo" / "cosmic_web_0002.hdf5"
FOF = DEMO.parent / f"fof_{DEMO.name}"
REGION = [20.0, 24.0, 23.0, 27.0, 25.0, 29.0]
SPHERE = (22.1, 25.5, 27.4, 2.0)
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    with Server({"demo": DEMO.parent}, tmp_path_factory.mktemp("demo")) as server:
        yield apus.connect(server.url).open(f"demo/{DEMO.name}")


@pytest.fixture(scope="module")
def truth():
    """The gas of that file, by the names in it, in 64 bits."""
    with h5py.File(DEMO) as f:
        return {name: f["PartType0"][name][()].astype("f8") for name in ("Coordinates", "Masses", "Temperatures", "Densities")}


@pytest.fixture(scope="module")
def distances(truth):
    offsets = (truth["Coordinates"] - SPHERE[:3] + 25) % 50 - 25
    return np.linalg.norm(offsets, axis=1)


def projected(data, resolution, **how):
    region = swiftsimio.cosmo_array(REGION, unyt.Mpc, comoving=True, scale_factor=data.metadata.scale_factor, scale_exponent=1)
    return project_gas(data, resolution=resolution, region=region, parallel=False, **how)


# ------------------------------------------------------------------------------------------------------------------- images


def test_the_surface_density_is_swiftsimios(demo):
    expected = projected(swiftsimio.load(str(DEMO)), 64)
    for image in (demo.gas.image(pixels=64, box=REGION), demo.gas.select("masses", box=REGION).image(pixels=64), demo.image(pixels=64, box=REGION)):
        assert image.values.shape == (64, 64)
        assert np.allclose(image.values.T.to_value(expected.units), expected.value, rtol=1e-5, atol=0)
        assert type(image.values) is unyt.unyt_array
        assert image.frame == "comoving"
        assert np.array_equal(image.extent.to_value("Mpc"), REGION[:4])
        assert np.array_equal(np.asarray(image), image.values.value)


def test_means_and_units_of_images(demo):
    data = swiftsimio.load(str(DEMO))
    data.gas.mass_weighted_temperatures = data.gas.masses * data.gas.temperatures
    expected = projected(data, 32, project="mass_weighted_temperatures") / projected(data, 32)
    image = demo.gas.image("temperatures", pixels=32, box=REGION)
    assert image.values.units == unyt.K
    assert np.allclose(image.values.T.value, expected.to_value("K"), rtol=1e-5, atol=0)
    density = demo.gas.image(pixels=32, box=REGION)
    assert np.allclose(demo.gas.image(pixels=32, box=REGION, unit=unyt.g / unyt.cm**2).values.value, density.values.to_value("g/cm**2"), rtol=1e-5)
    wide = demo.gas.image(pixels=(64, 32), axis="x")
    assert wide.values.shape == (32, 64)
    assert demo.dark_matter.image(pixels=16, axis="y").values.min() >= 0
    assert demo.gas.image(pixels=16, along=(1, 1, 0), sphere=SPHERE).values.shape == (16, 16)


def test_other_kinds_of_arrays(demo):
    for kind, expected in (("astropy", units.Quantity), ("numpy", np.ndarray), ("unyt", unyt.unyt_array)):
        file = apus.connect(demo.connection.url, arrays=kind).open(demo.path)
        assert type(file.gas.image(pixels=8).values) is expected


# --------------------------------------------------------------------------------------------------------------- histograms


def test_a_phase_diagram_is_numpys(demo, truth):
    x, y = np.geomspace(1e-1, 1e4, 21), np.geomspace(1e2, 1e8, 13)
    got = demo.gas.histogram("densities", "temperatures", x_bins=20, x_range=(1e-1, 1e4), x_log=True, y_bins=12, y_range=(1e2, 1e8), y_log=True)
    assert np.allclose(got.x_edges.value, x, rtol=1e-12) and np.allclose(got.y_edges.value, y, rtol=1e-12)
    expected = np.histogram2d(truth["Densities"], truth["Temperatures"], bins=[got.x_edges.value, got.y_edges.value])[0]
    assert expected.sum() > 0
    assert np.array_equal(got.counts, expected)
    assert got.x_edges.units.same_dimensions_as(unyt.g / unyt.cm**3)
    assert got.y_edges.units == unyt.K
    weighted = demo.gas.select("masses", sphere=SPHERE).histogram("temperatures", weight="masses", x_bins=10, x_range=(0, 1e7))
    offsets = np.linalg.norm((truth["Coordinates"] - SPHERE[:3] + 25) % 50 - 25, axis=1)
    inside = offsets <= SPHERE[3]
    expected = np.histogram(truth["Temperatures"][inside], weighted.x_edges.value, weights=truth["Masses"][inside])[0]
    assert np.allclose(weighted.counts.to_value("1e10*Msun"), expected, rtol=1e-6)


def test_a_profile_is_numpys(demo, truth, distances):
    got = demo.gas.profile(centre=SPHERE[:3], bins=15, range=(0, 2), sphere=SPHERE)
    edges = np.linspace(0, 2, 16)
    assert np.allclose(got.edges.to_value("Mpc"), edges)
    assert np.array_equal(got.counts, np.histogram(distances, edges)[0])
    masses = np.histogram(distances, edges, weights=truth["Masses"])[0]
    assert np.allclose(got.values.to_value("1e10*Msun/Mpc**3"), masses / (4 / 3 * np.pi * np.diff(edges**3)), rtol=1e-6)
    mean = demo.gas.profile("temperatures", centre=np.array(SPHERE[:3]) * unyt.Mpc, bins=15, range=(0, 2), sphere=SPHERE)
    heat = np.histogram(distances, edges, weights=truth["Masses"] * truth["Temperatures"])[0]
    assert np.allclose(mean.values.to_value("K")[masses > 0], (heat / np.where(masses > 0, masses, 1))[masses > 0], rtol=1e-6)
    about_halo = demo.gas.profile(group=1, catalogue=demo.connection.open(f"demo/{FOF.name}"), aperture="1 Mpc", bins=5)
    assert about_halo.counts.sum() > 0


def test_statistics_are_numpys(demo, truth, distances):
    inside = distances <= SPHERE[3]
    for got in (
        demo.gas.statistics("temperatures", "masses", quantiles=[0.1, 0.5], weight="masses", sphere=SPHERE),
        demo.gas.select("masses", sphere=SPHERE).statistics("temperatures", "masses", quantiles=[0.1, 0.5], weight="masses"),
    ):
        values = truth["Temperatures"][inside]
        found = got["temperatures"]
        assert (found["count"], found["n_nan"]) == (inside.sum(), 0)
        for name in ("sum", "mean", "std", "min", "max"):
            assert np.isclose(found[name].to_value("K"), getattr(values, name)(), rtol=1e-9), name
        assert np.isclose(found["weighted_mean"].to_value("K"), np.average(values, weights=truth["Masses"][inside]), rtol=1e-9)
        for quantile in (0.1, 0.5):
            assert np.isclose(found["quantiles"][quantile].to_value("K"), np.quantile(values, quantile), rtol=1e-9)
        assert np.isclose(got["masses"]["sum"].to_value("1e10*Msun"), truth["Masses"][inside].sum(), rtol=1e-9)


# ---------------------------------------------------------------------------------------------- what is shown, what goes wrong


def test_they_draw_themselves(demo):
    import matplotlib.figure

    drawn = [
        demo.gas.image(pixels=16), demo.gas.image("temperatures", pixels=16, axis="y"), demo.gas.histogram("temperatures", x_log=True, x_bins=9),
        demo.gas.histogram("densities", "temperatures", x_log=True, y_log=True), demo.gas.profile(centre=SPHERE[:3], sphere=SPHERE, log=True),
    ]  # fmt: skip
    for one in drawn:
        assert one._repr_png_().startswith(PNG)
        axes = matplotlib.figure.Figure().subplots()
        assert one.draw(axes) is axes
        assert axes.get_xlabel() and axes.get_ylabel()
        assert repr(one).startswith("<apus.")
    image = drawn[0].draw().images[0]
    assert np.array_equal(image.get_array(), drawn[0].values.value)
    assert (image.origin, image.get_extent()) == ("lower", drawn[0].extent.value.tolist())
    assert drawn[1].draw().get_xlabel() == "z [Mpc]"
    assert drawn[2].draw().get_ylabel() == "rows"


def test_without_matplotlib_they_are_shown_as_text(demo, tmp_path):
    (tmp_path / "matplotlib.py").write_text("raise ImportError('not here')")
    script = f"import apus; image = apus.connect({demo.connection.url!r}).open({demo.path!r}).gas.image(pixels=8); print(image._repr_png_(), image)"
    done = subprocess.run([sys.executable, "-c", script], env=os.environ | {"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, timeout=120)
    assert done.stdout.startswith("None <apus.Image surface density: 8 x 8 pixels of "), done.stderr


def test_what_is_refused(demo):
    selection = demo.gas.select("masses", sphere=SPHERE)
    with pytest.raises(TypeError, match="a selection says by itself which rows"):
        selection.image(box=REGION)
    with pytest.raises(apus.BadRequest, match="say which with type='gas'"):
        demo.select("gas.masses", "dark_matter.masses").image()
    assert demo.select("gas.masses", "dark_matter.masses", limit=9).image(type="dark_matter", pixels=4).values.shape == (4, 4)
    with pytest.raises(apus.NotFound, match="no group 'star'"):
        demo.image(type="star")
    with pytest.raises(apus.BadRequest, match="type='dark_matter': this is gas"):
        demo.gas.image(type="dark_matter")
    with pytest.raises(apus.BadRequest, match="temperature"):
        demo.gas.image("temperature")
    with pytest.raises(apus.BadRequest, match="sample=2"):
        demo.gas.image(sample=2)
    with pytest.raises(apus.BadRequest, match="frame='proper'"):
        demo.gas.image(frame="proper")
    with pytest.raises(TypeError, match="spere: no such parameter; did you mean 'sphere'"):
        demo.gas.image(spere=SPHERE)
    with pytest.raises(apus.BadRequest, match="too long for a picture"):
        demo.gas.image(ids=np.arange(10_000))
    with pytest.raises(apus.BadRequest, match="centre: expected three lengths"):
        demo.gas.profile(centre=(1, 2))
    with pytest.raises(apus.BadRequest, match="x_range: expected two numbers"):
        demo.gas.histogram("temperatures", x_range=(1, 2, 3))
    with pytest.raises(TypeError, match="statistics.. needs fields"):
        demo.gas.statistics()
