"""/v1/object of every object of every file: attributes, links, types and storage as h5py has them."""

import h5py
import pytest

import h5py_view
from conftest import compared, swift_files
from h5py_view import objects

def assert_same_file(http, url, path):
    n = 0
    with h5py.File(path) as f:
        for name in objects(f):
            answer = http.get(url, params={"object": name})
            assert answer.status_code == 200, f"{name}: {answer.text}"
            described = answer.json()
            assert described["object"] == name
            h5py_view.assert_same_object(described, f[name])
            n += 1
    return n


@swift_files
def test_every_object(http, mount, path):
    n = assert_same_file(http, f"/v1/object/{mount}/{path.name}", path)
    assert n > 10
    compared["objects with h5py (attributes, links, types, storage)"] += n


def test_every_object_of_the_matrix(http, matrix_folders):
    for mount, folder in matrix_folders.items():
        for path in sorted(folder.glob("*.h5")):
            compared["objects with h5py (attributes, links, types, storage)"] += assert_same_file(http, f"/v1/object/{mount}/{path.name}", path)


def test_a_soft_link_is_followed_when_asked_for(http):
    by_link = http.get("/v1/object/data/kelvin_helmholtz_2d.hdf5", params={"object": "/GasParticles/Coordinates"}).json()
    by_path = http.get("/v1/object/data/kelvin_helmholtz_2d.hdf5", params={"object": "/PartType0/Coordinates"}).json()
    assert by_link | {"object": ""} == by_path | {"object": ""}


def test_the_root_where_no_object_is_named(http):
    url = "/v1/object/data/kelvin_helmholtz_2d.hdf5"
    assert http.get(url).json() == http.get(url, params={"object": "/"}).json()


@pytest.mark.parametrize("links", [2, 16, 17, 200])
def test_links_in_a_row(http, scratch, links):
    path = scratch / f"links_{links}.h5"
    with h5py.File(path, "w") as f:
        f["x0"] = 1.5
        for i in range(links):
            f[f"x{i + 1}"] = h5py.SoftLink(f"/x{i}")
    answer = http.get(f"/v1/data/scratch/{path.name}", params={"object": f"/x{links}", "format": "json"})
    if links <= 16:
        assert answer.json() == 1.5
    else:
        assert answer.status_code in (400, 404, 422), answer.text


def test_links_in_a_circle(http, scratch):
    path = scratch / "circle.h5"
    with h5py.File(path, "w") as f:
        f["a"], f["b"], f["self"] = h5py.SoftLink("/b"), h5py.SoftLink("/a"), h5py.ExternalLink("circle.h5", "/self")
        f["group"] = f["/"]
    for name in ("/a", "/self"):
        answer = http.get(f"/v1/object/scratch/{path.name}", params={"object": name})
        assert answer.status_code in (400, 404, 422), answer.text
    deep = "/group" * 50
    assert http.get(f"/v1/object/scratch/{path.name}", params={"object": deep}).json()["kind"] == "group"
