"""Folders through the hdfstream protocol: what the operator says of them, links that make circles, trees that are too deep, names of every
kind."""

import io
import os
import tarfile
import time
import unicodedata
import urllib.parse

import h5py
import hdfstream
import msgpack
import numpy as np
import pytest

from accounts import add_user
from apus_server import Server

NAMES = [
    unicodedata.normalize("NFC", "café.hdf5"), unicodedata.normalize("NFD", "café.hdf5"), "🌌 halo 👩‍🚀.hdf5", "100%.hdf5", "%2e%2e.hdf5", "a+b c&d=e;f.hdf5",
    "what? #1.hdf5", "back\\slash.hdf5", 'quo"te.hdf5', "שלום.hdf5", "tab\there.hdf5", "'.hdf5",
]  # fmt: skip
# The client puts names into the URL as they are, so that these mean something else there (also with the original server).
NOT_BY_THE_CLIENT = {"100%.hdf5", "%2e%2e.hdf5", "what? #1.hdf5", "tab\there.hdf5"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("folders")
    for name in ("names", "private/inner", "circles/a/b"):
        (folder / name).mkdir(parents=True)
    for i, name in enumerate(NAMES):
        with h5py.File(folder / "names" / name, "w") as f:
            f["x"] = [i]
    (folder / "private/inner/x.txt").write_text("x")
    (folder / "circles/a/b/x.txt").write_text("12345")
    for name in ("itself", "again"):
        (folder / "circles/a" / name).symlink_to(".")
        (folder / "circles/a/b" / name).symlink_to("..")
    (folder / "circles/other").symlink_to("a")
    return folder


@pytest.fixture(scope="module")
def house(folder, tmp_path_factory):
    home = tmp_path_factory.mktemp("house")
    (home / "apus.toml").write_text(f"""
[[mounts]]
name = "L0025"
path = "{folder}"
description = "The *smallest* box, $Ω_m = 0.3$"
labels = {{ "names" = "of every kind", "private" = "later" }}
folders = [
    {{ path = "private", description = "Not published yet", roles = ["core"] }},
    {{ path = "/private/inner/", labels = {{ "x.txt" = "a text" }} }},
]
[[mounts]]
name = "members"
path = "{folder}/private/inner"
roles = ["core"]
description = "for few"
""")
    add_user(home, "insider", "wonderland", "core")
    add_user(home, "visitor", "wonderland")
    with Server({}, home, ("--config", home / "apus.toml")) as server:
        yield server


@pytest.fixture(scope="module")
def wire(house):
    with house.session() as session:
        yield session


def told(wire, path="", auth=None, **parameters):
    answer = wire.get("hdfstream/msgpack/" + urllib.parse.quote(path), params=parameters, auth=auth)
    assert answer.status_code == 200, answer.content
    return msgpack.unpackb(answer.content)


def test_descriptions_and_labels_stand_in_listings(wire):
    insider = ("insider", "wonderland")
    root = told(wire, "L0025")
    assert (root["description"], root["labels"]) == ("The *smallest* box, $Ω_m = 0.3$", {"names": "of every kind", "private": "later"})
    private = told(wire, "L0025/private", insider)
    assert (private["description"], private["labels"]) == ("Not published yet", None)
    # However the path of the folder is written.
    inner = told(wire, "L0025/private/inner", insider)
    assert (inner["description"], inner["labels"]) == (None, {"x.txt": "a text"})
    assert told(wire, "members", insider)["description"] == "for few"
    nested = told(wire, "", insider, max_depth=3)["directories"]["L0025"]["directories"]["private"]
    assert nested["description"] == "Not published yet"
    assert nested["directories"]["inner"] == inner


def test_who_has_no_role_logs_in_and_finds_what_is_public(house, wire):
    assert set(told(wire, "", ("visitor", "wonderland"))["directories"]) == {"L0025"}
    assert set(told(wire, "", ("insider", "wonderland"))["directories"]) == {"L0025", "members"}
    root = hdfstream.open(f"{house.url}hdfstream", "/", user="visitor", password="wonderland")
    assert list(root) == ["L0025"] and "members" not in root


def test_a_service_without_anything_public_is_an_empty_root(folder, tmp_path):
    (tmp_path / "apus.toml").write_text(f'[[mounts]]\nname = ""\npath = "{folder}"\nroles = ["core"]\ndescription = "secret"\n')
    add_user(tmp_path, "insider", "wonderland", "core")
    add_user(tmp_path, "visitor", "wonderland")
    with Server({}, tmp_path, ("--config", tmp_path / "apus.toml")) as server, server.session() as session:
        empty = {"type": "directory", "size": 0, "description": None, "labels": None, "files": {}, "directories": {}}
        for auth in (None, ("visitor", "wonderland")):
            assert told(session, "", auth) == empty
            assert session.get("v1/list/", auth=auth).json()["entries"] == []
            assert session.get("hdfstream/msgpack/names", auth=auth).status_code == 404
        assert "names" in told(session, "", ("insider", "wonderland"))["directories"]
        assert list(hdfstream.open(f"{server.url}hdfstream", "/", user="visitor", password="wonderland")) == []


def test_names_of_every_kind(house, wire):
    listing = told(wire, "L0025/names")
    assert set(listing["files"]) == set(NAMES)
    root = hdfstream.open(f"{house.url}hdfstream", "L0025/names")
    assert set(root) == set(NAMES)
    for i, name in enumerate(NAMES):
        path = "L0025/names/" + urllib.parse.quote(name, safe="")
        got = wire.get("hdfstream/msgpack/" + path)
        posted = wire.post("hdfstream/msgpack/" + path, data=b"\x80", headers={"Content-Type": "application/x-msgpack"})
        assert msgpack.unpackb(got.content) == msgpack.unpackb(posted.content) == listing["files"][name], name
        download = wire.get("hdfstream/download/" + path)
        assert len(download.content) == listing["files"][name]["size"]
        quoted = urllib.parse.quote(name, safe="")
        assert download.headers["Content-Disposition"].endswith(f"filename*=UTF-8''{quoted.replace('~', '%7E')}")
        if name not in NOT_BY_THE_CLIENT:
            assert root[name]["x"][0] == i
    with tarfile.open(fileobj=io.BytesIO(wire.get("hdfstream/download/L0025/names").content)) as tar:
        assert set(tar.getnames()) == {f"L0025/names/{name}" for name in NAMES}


def test_links_that_make_circles_are_not_followed(wire):
    """A folder that is linked from elsewhere is there twice; one that is linked from within itself only once."""
    assert told(wire, "L0025/circles")["directories"] == {"a": None, "other": None}
    assert told(wire, "L0025/circles", max_depth=2**31 - 1) == {
        "type": "directory", "size": 10, "description": None, "labels": None, "files": {},
        "directories": {"a": told(wire, "L0025/circles/a", max_depth=1), "other": None},
    }  # fmt: skip
    assert told(wire, "L0025/circles/other", max_depth=1) == told(wire, "L0025/circles/a", max_depth=1)
    assert told(wire, "L0025/circles/a")["directories"] == {"b": None}
    tar = wire.get("hdfstream/download/L0025/circles")
    assert int(tar.headers["Content-Length"]) == len(tar.content)
    with tarfile.open(fileobj=io.BytesIO(tar.content)) as tar:
        assert tar.getnames() == ["L0025/circles/a/b/x.txt", "L0025/circles/other/b/x.txt"]
    assert [entry["name"] for entry in wire.get("v1/list/L0025/circles/a").json()["entries"]] == ["b"]


def test_folders_that_lead_to_each_other_end_somewhere(start_server, tmp_path):
    """Six folders with links to all others: more paths than there will ever be time for."""
    names = "abcdef"
    for name in names:
        (tmp_path / "served" / name).mkdir(parents=True)
        for other in names.replace(name, ""):
            (tmp_path / "served" / name / other).symlink_to(f"../{other}")
    server = start_server({"": tmp_path / "served"})
    with server.session() as session:
        assert told(session)["size"] == 0
        everything = told(session, max_depth=2**31 - 1)
        assert everything["directories"]["a"]["directories"] == dict.fromkeys("bcdef")
        assert told(session, "a/b/a/c/d/a")["directories"] == everything["directories"]["a"]["directories"]
        refused = session.get("hdfstream/download/a")
        assert refused.status_code == 413 and "behind more than 3 links" in refused.json()["detail"]


def test_a_tree_deeper_than_paths_are_long_hides_nothing_else(start_server, tmp_path):
    (tmp_path / "served").mkdir()
    (tmp_path / "served/x.txt").write_text("123")
    at = os.open(tmp_path / "served", os.O_RDONLY)
    for _ in range(40):
        os.mkdir("n" * 200, dir_fd=at)
        below = os.open("n" * 200, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(at)
    server = start_server({"": tmp_path / "served"})
    with server.session() as session:
        root = told(session)
        assert (root["size"], set(root["files"]), set(root["directories"])) == (3, {"x.txt"}, {"n" * 200})
        deep = told(session, max_depth=100)
        for _ in range(10):
            deep = deep["directories"]["n" * 200]
        assert deep["directories"].keys() == {"n" * 200}


def test_more_folders_than_a_tar_takes(start_server, tmp_path):
    deep = tmp_path / "served" / "/".join("d" * 66)
    deep.mkdir(parents=True)
    (deep / "x.txt").write_text("123")
    server = start_server({"served": tmp_path / "served"})
    with server.session() as session:
        # The listing is there all the same; what lies so deep is not counted.
        assert told(session, "served")["size"] == 0
        refused = session.get("hdfstream/download/served")
        assert refused.status_code == 413 and "64 folders deep" in refused.json()["detail"]


@pytest.fixture(scope="module")
def knot(tmp_path_factory):
    """A server of a file whose groups hold themselves, and groups that all hold the same next ones."""
    path = tmp_path_factory.mktemp("knot") / "knot.hdf5"
    with h5py.File(path, "w") as f:
        circle = f.create_group("circle")
        circle["itself"] = circle["again"] = circle
        circle["x"] = np.arange(3)
        groups = [f.create_group(f"steps/{i:02d}") for i in range(30)]
        for here, there in zip(groups, groups[1:]):
            for j in range(10):
                here[f"link{j}"] = there
        many = f.create_group("many")
        f["loaded"] = [1]
        for i in range(7):
            f["loaded"].attrs[f"text{i}"] = "x" * 8000
        for i in range(3000):
            many[f"{i:04d}"] = f["loaded"]
    with Server({"": path.parent}, tmp_path_factory.mktemp("home")) as server:
        yield server


@pytest.mark.parametrize("name", ["/circle", "/steps", "/many", "/"])
def test_groups_that_hold_each_other_are_described_as_far_as_is_sensible(knot, name):
    """A reply has a bound however deep it is asked for: 16 MiB, and contents that come along."""
    body = msgpack.packb({"object": name, "max_depth": 2**31 - 1, "data_size_limit": 0})
    with knot.session() as session:
        answer = session.post("hdfstream/msgpack/knot.hdf5", data=body, headers={"Content-Type": "application/x-msgpack", "Accept-Encoding": "identity"})
        assert answer.status_code == 200
        assert len(answer.content) < 17 << 20
        assert msgpack.unpackb(answer.content)["hdf5_object"] == "group"
    assert knot.peak_memory_bytes() < 200 << 20


def test_what_a_description_leaves_out_can_be_asked_for(knot):
    remote = hdfstream.open(f"{knot.url}hdfstream", "knot.hdf5", max_depth=2)
    np.testing.assert_array_equal(remote["circle/itself/again" + "/itself" * 40 + "/x"][...], [0, 1, 2])
    assert "link9" in remote["steps/00" + "/link3" * 28]
    assert remote["many/2999"].attrs["text6"] == "x" * 8000
