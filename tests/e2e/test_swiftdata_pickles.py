"""The pickles of the older API, loaded by the swiftsimio they were made for: equal, attribute by attribute, to what it reads itself."""

import io
import json
import os
import pathlib
import pickle
import subprocess

import h5py
import numpy as np
import pytest
import requests
import swiftsimio
from swiftsimio.reader import SWIFTUnits

from accounts import add_user, bearer, jwt_of
from apus_server import Server
from conftest import FILES_OF_MOUNT, PACKS, compared, is_read_by_swiftsimio, swift_files, swift_files_where

PYTHON7 = os.environ.get("APUS_PYTHON_SWIFTSIMIO7")
# What swiftsimio 7 itself does not read, and why; its pickles are loaded all the same.
REFUSED = {
    "cosmo_box_dmantissa_v1.0.0.hdf5": "HDF5 2.0 does not open some of its datasets",
    "cosmo_box_lossy_v1.0.0.hdf5": "HDF5 2.0 does not open some of its datasets",
    "los.hdf5": "its header speaks of particle types that have no group",
    "snipshot_subsampled.hdf5": "its header speaks of black holes, whose group is switched off",
}


@pytest.fixture(scope="module")
def older(tmp_path_factory):
    """A server with an account, and a function that posts to the older API."""
    home = tmp_path_factory.mktemp("older")
    add_user(home, "alice", "wonder")
    with Server(PACKS, home) as server:
        headers = bearer(jwt_of(server.url, "alice", "wonder"))

        def post(route, path):
            return requests.post(f"{server.url}swiftdata/{route}", headers=headers, json={"data_spec": {"filename": str(path)}}, timeout=120)

        yield post


@pytest.mark.parametrize("mount", FILES_OF_MOUNT)
def test_pickles_equal_what_swiftsimio_7_reads(older, tmp_path, mount):
    assert PYTHON7, "APUS_PYTHON_SWIFTSIMIO7 names no interpreter with swiftsimio 7; scripts/e2e sets it"
    paths = FILES_OF_MOUNT[mount]
    for path in paths:
        for kind in ("units", "metadata", "mask"):
            answer = older(kind, path)
            if answer.status_code == 200:
                (tmp_path / f"{path.name}.{kind}").write_bytes(answer.content)
            else:
                # Files without cells have no mask; nothing else may be missing.
                with h5py.File(path) as f:
                    assert kind == "mask" and "Cells" not in f, (path.name, kind, answer.text)
    program = pathlib.Path(__file__).with_name("swiftsimio7_pickles.py")
    done = subprocess.run([PYTHON7, program, tmp_path, *paths], text=True, capture_output=True)
    assert done.returncode == 0, done.stderr[-6000:]
    summary = json.loads(done.stdout.splitlines()[-1])
    refused = {name for name in summary["refused"] if not name.endswith("(mask)")}
    assert refused <= set(REFUSED), summary["refused"]
    compared["attributes of pickles equal to swiftsimio 7's own"] += summary["attributes"]
    compared["rows selected alike by masks of swiftsimio 7"] += summary["rows"]


@swift_files
def test_units_load_in_swiftsimio_12(older, mount, path):
    units = pickle.loads(older("units", path).content)
    assert isinstance(units, SWIFTUnits)
    with h5py.File(path) as f:
        own = SWIFTUnits(path, handle=f)
        # swiftsimio 12 calls the unit of current A, which 7 and the older service called statA.
        for name in ("mass", "length", "time", "temperature"):
            got, want = getattr(units, name), getattr(own, name)
            assert got == want and got.units == want.units, name
        assert {k: float(v.value) for k, v in units.units.items()} == {k: float(v.value) for k, v in own.units.items()}


@swift_files_where(is_read_by_swiftsimio)
def test_a_skeleton_opens_as_the_file_does(http, mount, path):
    """The safe way: no pickle, the client's own swiftsimio reads a file without its bulk."""
    answer = http.get(f"/v1/skeleton/{mount}/{path.name}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-hdf5"
    with h5py.File(io.BytesIO(answer.content)) as skeleton, h5py.File(path) as whole:
        own, got = swiftsimio.load(whole), swiftsimio.load(skeleton)
        assert got.metadata.present_group_names == own.metadata.present_group_names
        assert np.array_equal(got.metadata.boxsize, own.metadata.boxsize)
        for name in own.metadata.present_group_names:
            ours, theirs = getattr(got.metadata, f"{name}_properties"), getattr(own.metadata, f"{name}_properties")
            assert (ours.field_names, ours.field_paths) == (theirs.field_names, theirs.field_paths)
        for group in ("Header", "Cosmology", "Units", "Parameters"):
            assert {k: str(v) for k, v in skeleton[group].attrs.items()} == {k: str(v) for k, v in whole[group].attrs.items()}
        for table in ("Cells/Centres", "Cells/Counts", "Cells/OffsetsInFile"):
            if table in whole:
                pairs = [(skeleton[table][k], whole[table][k]) for k in whole[table]] if table != "Cells/Centres" else [(skeleton[table], whole[table])]
                assert all(np.array_equal(a[()], b[()]) for a, b in pairs)
        compared["skeletons opened by swiftsimio 12"] += 1
