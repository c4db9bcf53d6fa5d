"""Rows, columns and forms of /v1/data: what h5py and numpy give for the same selection."""

import io
import json
import random

import h5py
import numpy as np
import pytest

import h5py_view
from conftest import TEST_DATA, compared, swift_files
from h5py_view import objects

def datasets(f):
    """The paths of all datasets with elements that current HDF5 opens, soft links not followed."""
    return [path for path in objects(f) if isinstance(f[path], h5py.Dataset) and f[path].size]


def random_ranges(rng, n_rows, n_ranges):
    """Half-open ranges in any order; some overlap, some are empty."""
    edges = [sorted(rng.randint(0, n_rows) for _ in range(2)) for _ in range(n_ranges)]
    return edges + [[0, min(1, n_rows)], [n_rows, n_rows]]


def rows_text(ranges):
    return ",".join(f"{a}:{b}" for a, b in ranges)


def selected(array, ranges, columns=None):
    taken = np.concatenate([array[a:b] for a, b in ranges])
    return taken if columns is None else taken[:, columns]


def array_of(response):
    assert response.status_code == 200, response.text
    return np.load(io.BytesIO(response.content), allow_pickle=False)


def same(left, right):
    return (left.dtype, left.shape, left.tobytes()) == (right.dtype, right.shape, right.tobytes())


@swift_files
def test_random_rows_and_columns(http, mount, path):
    rng = random.Random(path.name)
    with h5py.File(path) as f:
        names = datasets(f)
        two_dimensional = [name for name in names if name.split("/")[1].startswith("PartType") and f[name].ndim == 2]
        for name in rng.sample(names, min(25, len(names))) + rng.sample(two_dimensional, min(8, len(two_dimensional))):
            array = f[name][()]
            if array.ndim == 0:
                continue
            ranges = random_ranges(rng, len(array), rng.choice([1, 3, 20]))
            parameters = {"object": name, "rows": rows_text(ranges)}
            columns = None
            if array.ndim == 2:
                columns = rng.choice([None, rng.randrange(array.shape[1]), [rng.randrange(array.shape[1]) for _ in range(rng.randint(2, 4))]])
                if columns is not None:
                    parameters["columns"] = str(columns) if isinstance(columns, int) else ",".join(map(str, columns))
            expected = selected(array, ranges, [columns] if isinstance(columns, int) else columns)
            answer = array_of(http.get(f"/v1/data/{mount}/{path.name}", params=parameters))
            if isinstance(columns, int):
                # One index takes the column out of its axis, as numpy does; a list keeps the axis.
                expected = expected[:, 0]
            assert same(answer, expected), f"{path.name}: {name}: {parameters}"
            compared["selections of random rows and columns"] += 1


GAS = TEST_DATA / "cosmo_box_lossy_nogzip.hdf5"


@pytest.fixture
def gas():
    return f"/v1/data/data/{GAS.name}"


@pytest.fixture
def positions():
    with h5py.File(GAS) as f:
        return f["PartType0/Coordinates"][()]


@pytest.mark.parametrize("rows", ["5:3000,7:9", [[5, 3000], [7, 9]]])
def test_post_takes_the_same_members_as_get(http, gas, positions, rows):
    body = {"object": "/PartType0/Coordinates", "rows": rows, "columns": "2,0", "format": "npy"}
    assert same(array_of(http.post(gas, json=body)), selected(positions, [(5, 3000), (7, 9)], [2, 0]))


def test_a_list_of_one_column_keeps_the_axis(http, gas, positions):
    answer = http.post(gas, json={"object": "/PartType0/Coordinates", "rows": "0:9", "columns": [1]})
    assert same(array_of(answer), positions[:9, [1]])


def test_post_takes_many_ranges(http, gas, positions):
    rng = random.Random(1)
    ranges = random_ranges(rng, len(positions), 2000)
    answer = http.post(gas, json={"object": "/PartType0/Coordinates", "rows": ranges, "columns": 1})
    assert same(array_of(answer), selected(positions, ranges)[:, 1])


def test_raw_is_the_bytes_of_npy(http, gas, positions):
    answer = http.get(gas, params={"object": "/PartType0/Coordinates", "rows": "10:20", "format": "raw"})
    assert answer.content == positions[10:20].tobytes()
    assert answer.headers["Content-Type"] == "application/octet-stream"


def test_json_gives_back_every_bit(http, gas, positions):
    answer = http.get(gas, params={"object": "/PartType0/Coordinates", "rows": "10:200", "format": "json"})
    assert same(np.array(answer.json()), positions[10:200])


def test_json_of_unusual_numbers(http, scratch):
    path = scratch / "numbers.h5"
    with h5py.File(path, "w") as f:
        f["f4"] = np.array([0, -0.0, 1e-45, 3.4e38, np.nan, np.inf, -np.inf, 0.1], "f4")
        f["f8"] = np.array([5e-324, 1.7e308, np.nan, np.inf, -np.inf, 0.1, 1 / 3, -0.0], "f8")
        f["u8"] = np.array([0, 2**64 - 1], "u8")
        f["i8"] = np.array([-(2**63), 2**63 - 1], "i8")
    with h5py.File(path) as f:
        for name in f:
            answer = http.get(f"/v1/data/scratch/{path.name}", params={"object": f"/{name}", "format": "json"})
            h5py_view.assert_same_json(answer.json(), f[name])
            # Strict JSON: no NaN that only Python reads.
            json.loads(answer.content, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))


def test_no_rows_are_an_empty_array(http, gas, positions):
    answer = array_of(http.get(gas, params={"object": "/PartType0/Coordinates", "rows": "7:7"}))
    assert same(answer, positions[:0])


@pytest.mark.parametrize("form", ["npy", "raw"])
def test_byte_ranges_of_fixed_length_forms(http, gas, form):
    parameters = {"object": "/PartType0/Coordinates", "rows": "100:1000,5:50", "columns": "2,1", "format": form}
    whole = http.get(gas, params=parameters)
    n = len(whole.content)
    for first, last in ((0, 0), (0, n - 1), (17, 1000), (n - 5, n - 1)):
        part = http.get(gas, params=parameters, headers={"Range": f"bytes={first}-{last}"})
        assert part.status_code == 206
        assert part.headers["Content-Range"] == f"bytes {first}-{last}/{n}"
        assert part.content == whole.content[first : last + 1]
    assert http.get(gas, params=parameters, headers={"Range": "bytes=-7"}).content == whole.content[-7:]
    assert http.get(gas, params=parameters, headers={"Range": f"bytes={n - 3}-"}).content == whole.content[-3:]
    beyond = http.get(gas, params=parameters, headers={"Range": f"bytes={n}-"})
    assert beyond.status_code == 416
    assert beyond.headers["Content-Range"] == f"bytes */{n}"
    # A range that belongs to another state of the file is not given: the whole is.
    stale = http.get(gas, params=parameters, headers={"Range": "bytes=0-9", "If-Range": '"another"'})
    assert (stale.status_code, stale.content) == (200, whole.content)


def test_entity_tags(http, gas):
    parameters = {"object": "/PartType0/Coordinates", "rows": "0:10"}
    first = http.get(gas, params=parameters)
    tag = first.headers["ETag"]
    assert http.get(gas, params=parameters).headers["ETag"] == tag
    unchanged = http.get(gas, params=parameters, headers={"If-None-Match": tag})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    others = [parameters | change for change in ({"rows": "0:11"}, {"format": "raw"}, {"columns": "0"}, {"object": "/PartType0/Velocities"})]
    tags = {http.get(gas, params=other).headers["ETag"] for other in others}
    assert tag not in tags
    assert len(tags) == len(others)


def test_head_tells_the_length_and_nothing_else(http, gas):
    parameters = {"object": "/PartType0/Coordinates", "rows": "0:10"}
    head, get = http.head(gas, params=parameters), http.get(gas, params=parameters)
    assert (head.status_code, head.content) == (200, b"")
    for header in ("Content-Length", "Content-Type", "ETag"):
        assert head.headers[header] == get.headers[header]
