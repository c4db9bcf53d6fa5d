"""Files that change while they are served: a running read fails or finishes with the old bytes, the next request sees the new file."""

import io
import os

import h5py
import numpy as np
import pytest
import requests

ROWS = 4_000_000


def write(path, value, chunks=None):
    with h5py.File(path, "w") as f:
        f.create_dataset("x", data=np.full((ROWS, 3), value, "f8"), chunks=chunks)


def url(path):
    return f"/v1/data/scratch/{path.name}"


def get(http, path):
    answer = http.get(url(path), params={"object": "/x", "rows": f"0:10,{ROWS - 10}:{ROWS}"})
    assert answer.status_code == 200, answer.text
    return np.load(io.BytesIO(answer.content)), answer.headers["ETag"]


@pytest.fixture(params=[None, (8192, 3)], ids=["contiguous", "chunked"])
def path(scratch, request):
    path = scratch / f"replaced_{'chunked' if request.param else 'contiguous'}.h5"
    write(path, 1.0, request.param)
    yield path
    path.unlink(missing_ok=True)


def begin(http, path):
    """Starts to read the whole field and stops after the first block."""
    answer = http.get(url(path), params={"object": "/x"}, stream=True)
    assert answer.status_code == 200
    return answer, answer.raw.read(1 << 16)


def test_a_file_put_in_its_place(http, scratch, path):
    before, old_tag = get(http, path)
    assert (before == 1).all()
    running, start = begin(http, path)
    new = scratch / "new.h5"
    write(new, 2.0)
    os.replace(new, path)
    after, new_tag = get(http, path)
    assert (after == 2).all()
    assert old_tag != new_tag
    try:
        rest = running.raw.read()
    except Exception as error:
        assert "IncompleteRead" in repr(error) or "ProtocolError" in repr(error), error
    else:
        assert (np.load(io.BytesIO(start + rest)) == 1).all()


def test_a_file_cut_short(http, path):
    get(http, path)
    running, start = begin(http, path)
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(Exception, match="IncompleteRead|Connection broken|closed"):
        rest = running.raw.read()
        # Some clients do not tell; the length that was announced does.
        if len(start) + len(rest) < int(running.headers["Content-Length"]):
            raise requests.ConnectionError("IncompleteRead")
    answer = http.get(url(path), params={"object": "/x"})
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert http.get("/ping").status_code == 200


def test_a_file_written_over_in_place(http, path):
    _, old_tag = get(http, path)
    write(path, 3.0)
    after, new_tag = get(http, path)
    assert (after == 3).all()
    assert old_tag != new_tag


def test_a_file_removed_and_put_back(http, path):
    get(http, path)
    path.unlink()
    assert http.get(url(path), params={"object": "/x"}).status_code == 404
    write(path, 4.0)
    assert (get(http, path)[0] == 4).all()


def test_a_part_of_a_virtual_file_that_changes(http, scratch):
    part, whole = scratch / "changing_part.h5", scratch / "changing_whole.h5"
    write(part, 1.0)
    layout = h5py.VirtualLayout(shape=(ROWS, 3), dtype="f8")
    layout[:] = h5py.VirtualSource(part.name, "x", shape=(ROWS, 3))
    with h5py.File(whole, "w", libver="latest") as f:
        f.create_virtual_dataset("x", layout)
    before, old_tag = get(http, whole)
    write(part, 2.0)
    after, new_tag = get(http, whole)
    assert (before == 1).all()
    assert (after == 2).all()
    assert old_tag != new_tag
    part.unlink()
    whole.unlink()
