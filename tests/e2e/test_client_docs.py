"""docs/python.md: each of its blocks runs as it stands there, and all give the same."""

import os
import re

import h5py
import numpy as np
import pytest
import swiftsimio
from swiftsimio.visualisation import project_gas

from apus_server import Server
from conftest import REPOSITORY
from faulty_proxy import FaultyProxy

DEMO = REPOSITORY / "demo"
MAX_LINES = 15
RESULTS = ("gas_map", "phases", "masses", "edges", "profile", "distances", "centre", "radius")


@pytest.fixture(scope="module")
def blocks():
    """The blocks of Python, by the heading that they stand under."""
    sections = re.split(r"^## (.+)$", (REPOSITORY / "docs/python.md").read_text(), flags=re.MULTILINE)[1:]
    return {heading: re.findall(r"```python\n(.*?)```", text, re.DOTALL) for heading, text in zip(sections[::2], sections[1::2], strict=True)}


@pytest.fixture(scope="module")
def results(blocks, tmp_path_factory):
    """What each way leaves in its variables, and how many requests its first block sent."""
    found = {}
    here = os.getcwd()
    with Server({}, tmp_path_factory.mktemp("demo"), command="demo") as demo:
        os.chdir(DEMO)
        try:
            for heading, texts in blocks.items():
                with FaultyProxy(demo.url) as proxy:
                    found[heading] = {}
                    for text in texts:
                        exec(compile(text.replace("http://127.0.0.1:8000", proxy.url), "docs/python.md", "exec"), found[heading])
                        found[heading].setdefault("n_requests", len(proxy.requests))
        finally:
            os.chdir(here)
    return found


def test_it_takes_fifteen_lines(blocks):
    for heading in ("With apus", "Pictured by the server"):
        assert len([line for line in blocks[heading][0].splitlines() if line.strip()]) <= MAX_LINES
    assert len(blocks) == 4


def test_all_ways_give_the_same(results):
    expected = results["With swiftsimio and local files"]
    for heading in ("With apus", "With swiftsimio and hdfstream"):
        for name in RESULTS:
            got, theirs = results[heading][name], expected[name]
            for left, right in zip(got, theirs, strict=True) if isinstance(theirs, tuple) else [(got, theirs)]:
                assert type(left) is type(right), (heading, name)
                assert np.asarray(left).tobytes() == np.asarray(right).tobytes(), (heading, name)
                assert getattr(left, "cosmo_factor", None) == getattr(right, "cosmo_factor", None), (heading, name)
                assert getattr(left, "comoving", None) == getattr(right, "comoving", None), (heading, name)
                if hasattr(right, "units"):
                    ratio = float((1 * left.units / right.units).to_value("dimensionless"))
                    assert np.isclose(ratio, 1, rtol=1e-5), (heading, name)
    assert 0 < results["With apus"]["n_requests"] < results["With swiftsimio and hdfstream"]["n_requests"]
    assert expected["n_requests"] == 0


def test_it_is_the_most_massive_group(results):
    with h5py.File(DEMO / "fof_cosmic_web_0002.hdf5") as f:
        row = np.argmax(f["Groups/Masses"][()])
        centre, radius, group = f["Groups/Centres"][row], f["Groups/Radii"][row], f["Groups/GroupIDs"][row]
    found = results["With apus"]
    assert np.array_equal(np.asarray(found["centre"]), centre)
    assert np.asarray(found["radius"]) == radius
    gas = swiftsimio.load(str(DEMO / "cosmic_web_0002.hdf5")).gas
    is_member = np.asarray(gas.fofgroup_ids) == group
    assert np.array_equal(np.asarray(found["members"].temperatures), np.asarray(gas.temperatures)[is_member])
    distances = np.linalg.norm((np.asarray(gas.coordinates) - centre + 25) % 50 - 25, axis=1)
    is_hot = (distances <= radius) & (np.asarray(gas.temperatures) > np.float32(1e7))
    assert is_hot.sum() > 0
    assert np.array_equal(np.sort(np.asarray(found["hot"].masses)), np.sort(np.asarray(gas.masses)[is_hot]))
    # The profile holds all gas within the radius (its sums are of 32 bits, as the masses).
    assert np.isclose(np.asarray(found["masses"]).sum(), np.asarray(gas.masses, "f8")[distances < radius].sum(), rtol=1e-3)


def test_the_server_pictures_the_same(results):
    pictured, expected = results["Pictured by the server"], results["With swiftsimio and local files"]
    # Of the whole file: kernels reach into the box from cells that a mask leaves out.
    gas_map = project_gas(swiftsimio.load(str(DEMO / "cosmic_web_0002.hdf5")), resolution=256, region=expected["box"].ravel())
    assert np.allclose(pictured["gas_map"].values.T.to_value(gas_map.units), gas_map.value, rtol=1e-5, atol=0)
    with h5py.File(DEMO / "cosmic_web_0002.hdf5") as f:
        gas = {name: f["PartType0"][name][()].astype("f8") for name in ("Coordinates", "Masses", "Densities", "Temperatures")}
    distances = np.linalg.norm((gas["Coordinates"] - np.asarray(expected["centre"]) + 25) % 50 - 25, axis=1)
    inside = distances <= np.asarray(expected["radius"])
    profile, edges = pictured["profile"], pictured["profile"].edges.to_value("Mpc")
    theirs = np.histogram(distances[inside], edges, weights=gas["Masses"][inside])[0] / (4 / 3 * np.pi * np.diff(edges**3))
    assert np.allclose(profile.values.to_value("1e10*Msun/Mpc**3"), theirs, rtol=1e-5)
    # numpy sums masses of 32 bits in 32 bits.
    assert np.allclose(edges, expected["edges"].value, rtol=1e-6)
    assert np.allclose(profile.values.to_value(expected["profile"].units), expected["profile"].value, rtol=1e-3)
    phases, bins = pictured["phases"], [pictured["phases"].x_edges.value, pictured["phases"].y_edges.value]
    theirs = np.histogram2d(gas["Densities"][inside], gas["Temperatures"][inside], bins, weights=gas["Masses"][inside])[0]
    assert theirs.sum() > 0
    assert np.allclose(np.asarray(phases), theirs, rtol=1e-9, atol=0)
