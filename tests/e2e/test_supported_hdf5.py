"""docs/supported-hdf5.md is true: each line of its tables is read as h5py reads it, or refused as it says."""

import io
import re

import h5py
import numpy as np
import pytest

import h5py_view
from conftest import REPOSITORY, compared
from hdf5_kinds import KINDS, OBJECTS


def page():
    """The tables of the page: kind -> remarks for those that are read, kind -> word in the error for those that are refused."""
    tables = {"remarks": {}, "the error names": {}}
    current = None
    for line in (REPOSITORY / "docs" / "supported-hdf5.md").read_text().splitlines():
        if not (row := re.fullmatch(r"\| (.+?) \| ?(.*?) ?\|", line)):
            current = None if not line.startswith("|-") else current
        elif row[1] == "kind":
            current = tables[row[2]]
        else:
            assert row[1] not in current, f"{row[1]} is listed twice"
            current[row[1]] = row[2]
    return tables["remarks"], tables["the error names"]


READ, REFUSED = page()


@pytest.fixture(scope="module")
def folder(scratch):
    folder = scratch / "kinds"
    folder.mkdir()
    return folder


def make(folder, kind):
    """Writes the file of that kind; gives its path on disk and under the mounts."""
    path = folder / (re.sub(r"\W+", "_", kind.replace(">", "be_")) + ".h5")
    KINDS[kind](path)
    return path, f"scratch/kinds/{path.name}"


def test_the_page_lists_each_kind_once():
    assert set(READ) | set(REFUSED) == set(KINDS)
    assert not set(READ) & set(REFUSED)


@pytest.mark.parametrize("kind", sorted(READ))
def test_is_read(http, folder, kind):
    path, served = make(folder, kind)
    with h5py.File(path) as f:
        what = f[OBJECTS[kind]]
        description = http.get(f"/v1/object/{served}", params={"object": OBJECTS[kind]})
        assert description.status_code == 200, description.text
        h5py_view.assert_same_object(description.json(), what)
        if isinstance(what, h5py.Dataset):
            assert_same_values(http, served, OBJECTS[kind], what, READ[kind])
            compared["of docs/supported-hdf5.md, read"] += 1


def assert_same_values(http, served, name, dataset, remarks):
    answer = http.get(f"/v1/data/{served}", params={"object": name, "format": "json"})
    if remarks == "no json":
        assert answer.status_code in (400, 422), answer.text
    else:
        assert answer.status_code == 200, answer.text
        h5py_view.assert_same_json(answer.json(), dataset)
    answer = http.get(f"/v1/data/{served}", params={"object": name})
    if remarks == "json only":
        assert answer.status_code == 400, answer.text
        assert "json" in answer.json()["detail"]
        return
    assert answer.status_code == 200, answer.text
    array, expected = np.load(io.BytesIO(answer.content), allow_pickle=False), dataset[()]
    if dataset.dtype.kind == "O":
        # References: h5py makes objects of them; the bytes are compared.
        assert array.tobytes() == raw_bytes(dataset)
        return
    assert array.shape == expected.shape
    assert array.dtype == h5py_view.little_endian(expected.dtype)
    expected = expected.view(array.dtype) if expected.dtype.kind == "c" else expected.astype(array.dtype)
    assert array.tobytes() == expected.tobytes()
    raw = http.get(f"/v1/data/{served}", params={"object": name, "format": "raw"})
    assert raw.content == array.tobytes()


def raw_bytes(dataset):
    """A dataset's bytes as they stand in the file."""
    with open(dataset.file.filename, "rb") as f:
        f.seek(dataset.id.get_offset())
        return f.read(dataset.id.get_storage_size())


@pytest.mark.parametrize("kind", sorted(REFUSED))
def test_is_refused_by_name(http, folder, kind):
    _, served = make(folder, kind)
    for form in ("npy", "raw", "json"):
        answer = http.get(f"/v1/data/{served}", params={"object": OBJECTS[kind], "format": form})
        assert answer.status_code == 422, f"{form}: {answer.status_code} {answer.text[:300]}"
        problem = answer.json()
        assert problem["code"] == "unsupported"
        assert REFUSED[kind] in problem["detail"].lower()
        assert OBJECTS[kind] in problem["detail"], "the error does not name the object"
    compared["of docs/supported-hdf5.md, refused by name"] += 1
