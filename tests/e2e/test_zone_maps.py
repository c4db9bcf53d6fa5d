"""Regions of a file whose cells have no bounds, as SWIFT wrote them before April 2022: learned once, kept across restarts, made ahead of time
by `apus index`, or replaced by padding. The rows are those that h5py and numpy find."""

import shutil
import subprocess

import h5py
import numpy as np
import pytest

from apus_server import Server, binary, clean_environment
from conftest import REPOSITORY
from select_reference import arrays_of

NAME = "cosmic_web_0002.hdf5"
SPHERE = (25.0, 25.0, 25.0, 2.0)
REGION = {"fields": "gas.particle_ids", "sphere": ",".join(map(str, SPHERE))}
PATH = f"/v1/select/data/{NAME}"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("without_bounds")
    shutil.copy(REPOSITORY / "demo" / NAME, folder)
    with h5py.File(folder / NAME, "r+") as f:
        for name in ("MinPositions", "MaxPositions"):
            del f["Cells"][name]
    return folder


@pytest.fixture(scope="module")
def expected(data):
    with h5py.File(data / NAME) as f:
        positions, ids = f["PartType0/Coordinates"][()], f["PartType0/ParticleIDs"][()]
    return ids[((positions - SPHERE[:3]) ** 2).sum(axis=1) <= SPHERE[3] ** 2]


def bounds(http):
    [group] = http.get(PATH, params=REGION | {"explain": "true"}).json()["groups"]
    return group["bounds"]


def read_bytes(http, **params):
    """The ids in the region, and how many bytes of files that took."""
    before = http.counted("file_read_bytes_total")
    answer = http.get(PATH, params=REGION | params)
    assert answer.status_code == 200, answer.text
    return arrays_of(answer)["gas.particle_ids"], http.counted("file_read_bytes_total") - before, answer


def test_bounds_are_learned_once_and_kept(data, expected, tmp_path):
    for start in range(3):
        with Server({"data": data}, tmp_path) as server, server.session() as http:
            zone_maps = sorted((server.state / "zone_maps").rglob("*.zone"))
            if start == 2:
                # A zone map that is damaged is noticed, and made again.
                assert zone_maps
                for path in zone_maps:
                    path.write_bytes(path.read_bytes()[:-1] + b"?")
            assert bounds(http) == ("learned" if start == 1 else "none")
            ids, first_bytes, _ = read_bytes(http)
            assert np.array_equal(ids, expected)
            assert bounds(http) == "learned"
            ids, second_bytes, _ = read_bytes(http)
            assert np.array_equal(ids, expected)
            if start == 0:
                assert second_bytes < first_bytes / 4, "what was learned is not read again"


def test_the_command_learns_ahead_of_time(data, expected, tmp_path):
    server = Server({"data": data}, tmp_path)
    command = [binary(), "index", data, "--field", "gas.temperatures", "--state", server.state]
    done = subprocess.run(command, env=clean_environment(tmp_path), cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1 HDF5 files: learned the positions of 2 groups and 1 columns, "), done.stdout
    again = subprocess.run(command, env=clean_environment(tmp_path), cwd=tmp_path, capture_output=True, text=True)
    assert again.stdout.endswith(" 0 bytes read\n"), "what is known is not read again"
    with server, server.session() as http:
        assert bounds(http) == "learned"
        assert np.array_equal(read_bytes(http)[0], expected)


def test_the_command_names_what_is_not_there(tmp_path):
    done = subprocess.run(
        [binary(), "index", tmp_path / "nothing.hdf5"], env=clean_environment(tmp_path), cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 1 and "nothing.hdf5: No such file" in done.stderr


def test_padding_is_named_in_the_answer(data, expected, tmp_path):
    with Server({"data": data}, tmp_path) as server, server.session() as http:
        ids, _, answer = read_bytes(http, padding="0.1")
        assert answer.headers["Apus-Padding"] == "0.1"
        assert set(ids) <= set(expected) and len(ids) > 0.99 * len(expected)
        exact = http.get(PATH, params=REGION)
        assert "Apus-Padding" not in exact.headers and exact.headers["ETag"] != answer.headers["ETag"]
        refused = http.get(PATH, params=REGION | {"padding": "2"})
        assert refused.status_code == 400 and "between 0 and 1" in refused.json()["detail"]
