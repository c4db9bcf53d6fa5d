"""Every form of /v1/select, read back by the library that people read it with."""

import io
import json

import h5py
import numpy as np
import pandas
import pyarrow
import pyarrow.ipc
import pyarrow.parquet
import pytest

from conftest import TEST_DATA
from select_reference import arrays_of, box_sides, in_sphere, same

GAS = TEST_DATA / "cosmo_box_lossy_nogzip.hdf5"
URL = f"/v1/select/data/{GAS.name}"
FIELDS = {"gas.coordinates": "Coordinates", "gas.masses": "Masses", "/PartType0/ParticleIDs": "ParticleIDs", "gas.velocities": "Velocities"}


@pytest.fixture(scope="module")
def selection():
    """The parameters of a selection, and what it holds."""
    with h5py.File(GAS) as f:
        sides, positions = box_sides(f), f["PartType0/Coordinates"][()]
        sphere = [0.1 * sides[0], 0.5 * sides[1], 0.5 * sides[2], 0.35 * sides[0]]
        # The threshold is a number of 32 bits: as text and back it is the same.
        threshold = float(np.median(f["PartType0/Masses"][()]))
        inside = in_sphere(positions, sphere, sides) & (f["PartType0/Masses"][()] >= np.float32(threshold))
        expected = {asked: f["PartType0"][name][()][inside] for asked, name in FIELDS.items()}
    assert 0 < inside.sum() < len(inside)
    params = {"fields": ",".join(FIELDS), "sphere": ",".join(map(repr, map(float, sphere))), "where": f"masses >= {threshold!r} * 1e10 Msun"}
    return params, expected


def column(table, name):
    array = table.column(name).combine_chunks()
    width = array.type.list_size if pyarrow.types.is_fixed_size_list(array.type) else None
    values = array.flatten() if width else array
    values = values.to_numpy(zero_copy_only=False)
    return values.reshape(-1, width) if width else values


def check_table(table, expected):
    assert table.column_names == list(expected)
    for name, values in expected.items():
        assert same(np.ascontiguousarray(column(table, name)), values), name


def fetch(http, params, form):
    answer = http.get(URL, params=params | {"format": form})
    assert answer.status_code == 200, answer.text
    return answer


def test_npz(http, selection):
    params, expected = selection
    arrays = arrays_of(fetch(http, params, "npz"))
    assert list(arrays) == list(expected) and all(same(arrays[name], values) for name, values in expected.items())


def test_arrow(http, selection):
    params, expected = selection
    answer = fetch(http, params, "arrow")
    assert answer.headers["Content-Type"] == "application/vnd.apache.arrow.stream"
    table = pyarrow.ipc.open_stream(answer.content).read_all()
    check_table(table, expected)
    metadata = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    assert (metadata["file"], metadata["group"], metadata["particle_type"]) == (f"data/{GAS.name}", "PartType0", "gas")
    with h5py.File(GAS) as f:
        assert float(metadata["scale_factor"]) == f["Cosmology"].attrs["Scale-factor"][0]
        assert json.loads(metadata["cosmology"])["Omega_m"] == f["Cosmology"].attrs["Omega_m"][0]
        assert json.loads(metadata["box_size"]) == box_sides(f).tolist()
        for asked, name in FIELDS.items():
            note = {key.decode(): value.decode() for key, value in table.schema.field(asked).metadata.items()}
            assert note["path"] == f"/PartType0/{name}"
            assert float(note["a_exponent"]) == f["PartType0"][name].attrs["a-scale exponent"][0]
            assert note["frame"] == ("physical" if f["PartType0"][name].attrs["Value stored as physical"][0] else "comoving")
    units = {name: table.schema.field(name).metadata[b"unit"].decode() for name in expected}
    assert units["gas.coordinates"] == "Mpc" and units["gas.masses"] == "1e10*Msun"


def test_parquet(http, selection):
    params, expected = selection
    check_table(pyarrow.parquet.read_table(io.BytesIO(fetch(http, params, "parquet").content)), expected)


def test_csv(http, selection):
    params, expected = selection
    frame = pandas.read_csv(io.BytesIO(fetch(http, params, "csv").content))
    names = [part for name in expected for part in ([name] if expected[name].ndim == 1 else [f"{name}.{axis}" for axis in "xyz"])]
    assert list(frame.columns) == names
    for name, values in expected.items():
        columns = [name] if values.ndim == 1 else [f"{name}.{axis}" for axis in "xyz"]
        read = frame[columns].to_numpy().astype(values.dtype)
        assert same(read if values.ndim == 2 else read[:, 0], values), name


def test_json(http, selection):
    params, expected = selection
    answer = fetch(http, params, "json").json()
    assert list(answer) == list(expected)
    for name, values in expected.items():
        assert same(np.array(answer[name], values.dtype).reshape(values.shape), values), name


@pytest.mark.parametrize("form", ["npz", "arrow", "parquet", "csv", "json"])
def test_a_selection_of_nothing_is_empty_and_of_the_right_types(http, selection, form):
    _, expected = selection
    answer = fetch(http, {"fields": ",".join(FIELDS), "where": "masses < 0"}, form)
    empty = {name: values[:0] for name, values in expected.items()}
    if form == "npz":
        arrays = arrays_of(answer)
        assert list(arrays) == list(empty) and all(same(arrays[name], values) for name, values in empty.items())
    elif form == "arrow":
        check_table(pyarrow.ipc.open_stream(answer.content).read_all(), empty)
    elif form == "parquet":
        check_table(pyarrow.parquet.read_table(io.BytesIO(answer.content)), empty)
    elif form == "csv":
        assert len(pandas.read_csv(io.BytesIO(answer.content))) == 0
    else:
        assert answer.json() == {name: [] for name in empty}


def test_tables_are_of_one_type(http):
    for form in ("arrow", "parquet", "csv"):
        answer = http.get(URL, params={"fields": "gas.masses,dark_matter.particle_ids", "format": form})
        assert answer.status_code == 400 and "format=npz" in answer.json()["detail"]
    assert len(http.get(URL, params={"fields": "gas.masses,dark_matter.particle_ids", "format": "json", "limit": 3}).json()) == 2


def test_parquet_is_read_by_duckdb_and_the_like_in_row_groups(http):
    content = fetch(http, {"fields": "gas.*"}, "parquet").content
    file = pyarrow.parquet.ParquetFile(io.BytesIO(content))
    with h5py.File(GAS) as f:
        assert file.metadata.num_rows == len(f["PartType0/Masses"])


@pytest.mark.parametrize("form", ["npz", "hdf5"])
def test_a_part_is_that_part_of_the_whole(http, selection, form):
    """For transfers that go on where they stopped: any range of bytes, while the answer is the same."""
    params, _ = selection
    answer = fetch(http, params, form)
    whole, tag = answer.content, answer.headers["ETag"]
    assert answer.headers["Accept-Ranges"] == "bytes"
    for start, end in ((0, 1), (0, len(whole)), (100, 5000), (len(whole) // 2, len(whole)), (len(whole) - 1, len(whole)), (20_000, 40_001)):
        part = http.get(URL, params=params | {"format": form}, headers={"Range": f"bytes={start}-{end - 1}", "If-Range": tag})
        assert (part.status_code, part.headers["Content-Range"]) == (206, f"bytes {start}-{end - 1}/{len(whole)}")
        assert part.content == whole[start:end], (start, end)
    other = http.get(URL, params=params | {"format": form}, headers={"Range": "bytes=5-", "If-Range": '"other"'})
    assert (other.status_code, other.content) == (200, whole)
    assert http.get(URL, params=params | {"format": form}, headers={"Range": f"bytes={len(whole)}-"}).status_code == 416


def test_an_answer_of_unknown_length_has_no_parts(http, selection):
    params, _ = selection
    answer = http.get(URL, params=params | {"format": "csv"}, headers={"Range": "bytes=5-9"})
    assert answer.status_code == 200
    assert "Accept-Ranges" not in answer.headers
