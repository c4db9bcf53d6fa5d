"""A mount that is made of the original server's configuration tables."""

import gzip
import io
import os
import tarfile

import h5py
import hdfstream
import msgpack
import numpy as np
import pytest

from accounts import add_user
from apus_server import Server, run

HDF5, DIRECTORY = "application/x-hdf5", "directory"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Files that lie elsewhere, and under other names, than they are served."""
    store = tmp_path_factory.mktemp("store")
    (store / "disk1").mkdir()
    (store / "disk2").mkdir()
    with h5py.File(store / "disk1/000017.hdf5", "w") as f:
        f["x"] = np.arange(10)
        f["to_listed"] = h5py.ExternalLink("000018.hdf5", "/x")
        f["to_other_disk"] = h5py.ExternalLink("../disk2/part.hdf5", "/x")
        f["by_virtual_name"] = h5py.ExternalLink("../L50/snap.hdf5", "/x")
        f["to_unlisted"] = h5py.ExternalLink("unlisted.hdf5", "/x")
        f["to_secret"] = h5py.ExternalLink("../disk2/secret.hdf5", "/x")
        f["to_missing"] = h5py.ExternalLink("nowhere.hdf5", "/x")
    for name, first in (("disk1/000018.hdf5", 18), ("disk1/unlisted.hdf5", 4242), ("disk2/part.hdf5", 30), ("disk2/secret.hdf5", 4242)):
        with h5py.File(store / name, "w") as f:
            f["x"] = np.arange(first, first + 10)
    layout = h5py.VirtualLayout(shape=(20,), dtype="i8")
    layout[:10] = h5py.VirtualSource("part.hdf5", "x", shape=(10,))
    layout[10:] = h5py.VirtualSource("secret.hdf5", "x", shape=(10,))
    with h5py.File(store / "disk2/virtual.hdf5", "w", libver="latest") as f:
        f.create_virtual_dataset("x", layout, fillvalue=-1)
    (store / "disk1/readme.txt").write_text("Grüße\n", encoding="utf-8")
    (store / "disk1/notes").write_text("a: 1\n")
    (store / "disk1/eagle.msgpack").write_bytes(msgpack.packb({"description": "# EAGLE\n$Ω_m$", "labels": {"README": "read this", "L25": "25 Mpc"}, "file_labels": {"parameters": "as run"}, "unknown": [1, 2]}))
    (store / "disk1/swift.msgpack").write_bytes(msgpack.packb({"file_labels": {"x": "y"}}))
    (store / "linked").symlink_to(store / "disk2")
    return store


@pytest.fixture(scope="module")
def house(store, tmp_path_factory):
    home = tmp_path_factory.mktemp("house")
    lines = [
        f"EAGLE,{store}/disk1/eagle.msgpack,0,0,{DIRECTORY}",
        f"EAGLE/L25/snap_000.hdf5,{store}/disk1/000017.hdf5,123456,1600000000,{HDF5}",
        f"/EAGLE/L25/snap_001.hdf5,{store}/disk1/000018.hdf5,1,1600000000,{HDF5},,unused",
        f"EAGLE/L50/snap.hdf5,{store}/linked/part.hdf5,1,1600000000,{HDF5}",
        f"EAGLE/README,{store}/disk1/readme.txt,1,1600000000,text/plain",
        f"EAGLE/parameters,{store}/disk1/notes,1,1600000000,application/yaml",
        f"EAGLE/gone.hdf5,{store}/disk1/gone.hdf5,77,1600000000,{HDF5}",
        f"EAGLE/a folder,{store}/disk1,77,1600000000,{HDF5}",
    ]
    (home / "public.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    more = [
        f"SWIFT/größe,,,,{DIRECTORY}",
        f"SWIFT,{store}/disk1/swift.msgpack,0,0,{DIRECTORY}",
        f"SWIFT/private,,,,{DIRECTORY},core;swift",
        f"SWIFT/private/deep/secret.hdf5,{store}/disk2/secret.hdf5,1,1600000000,{HDF5}",
        f"SWIFT/virtual.hdf5,{store}/disk2/virtual.hdf5,1,1600000000,{HDF5}",
        f"SWIFT/part.hdf5,{store}/disk2/part.hdf5,1,1600000000,{HDF5}",
    ]
    (home / "more.csv.gz").write_bytes(gzip.compress("\n".join(more).encode()))
    (home / "apus.toml").write_text('[[mounts]]\nname = ""\ntable = ["public.csv", "more.csv.gz"]\n')
    add_user(home, "insider", "wonderland", "core", "swift")
    add_user(home, "half", "wonderland", "core")
    with Server({}, home, ("--config", home / "apus.toml")) as server:
        yield server


@pytest.fixture(scope="module")
def http(house):
    with house.session() as session:
        yield session


def told(http, path="", auth=None, **parameters):
    answer = http.get(f"hdfstream/msgpack/{path}", params=parameters, auth=auth)
    assert answer.status_code in (200, 404), answer.content
    return msgpack.unpackb(answer.content)


def test_the_tree_is_what_the_tables_say(http):
    assert told(http)["directories"] == {"EAGLE": None, "SWIFT": None}
    eagle = told(http, "EAGLE")
    assert set(eagle["directories"]) == {"L25", "L50"}
    # What is not there, or is no file, is not listed, whatever the table says.
    assert set(eagle["files"]) == {"README", "parameters"}
    assert (eagle["description"], eagle["labels"]) == ("# EAGLE\n$Ω_m$", {"README": "read this", "L25": "25 Mpc", "parameters": "as run"})
    assert set(told(http, "EAGLE/L25")["files"]) == {"snap_000.hdf5", "snap_001.hdf5"}
    swift = told(http, "SWIFT")
    assert (swift["description"], swift["labels"]) == (None, {"x": "y"})
    assert set(swift["directories"]) == {"größe"}
    assert told(http, "SWIFT/größe") == {"type": "directory", "size": 0, "description": None, "labels": None, "files": {}, "directories": {}}


def test_sizes_and_times_are_those_of_the_files(http, store):
    """The table has others: it is as old as it is."""
    real = store / "disk1/000017.hdf5"
    os.utime(real, ns=(0, 1_500_000_000_000_000_000))
    expected = {"type": HDF5, "size": real.stat().st_size, "last_modified": 1_500_000_000_000}
    assert told(http, "EAGLE/L25")["files"]["snap_000.hdf5"] == told(http, "EAGLE/L25/snap_000.hdf5") == expected
    files = ("disk1/000017.hdf5", "disk1/000018.hdf5", "disk2/part.hdf5", "disk1/readme.txt", "disk1/notes")
    assert told(http, "EAGLE")["size"] == sum((store / name).stat().st_size for name in files)
    assert "Invalid path" in told(http, "EAGLE/gone.hdf5")["error"]
    with h5py.File(store / "disk1/gone.hdf5", "w") as f:
        f["x"] = [1, 2]
    assert told(http, "EAGLE/gone.hdf5")["size"] == (store / "disk1/gone.hdf5").stat().st_size
    (store / "disk1/gone.hdf5").unlink()
    assert "gone.hdf5" not in told(http, "EAGLE")["files"]


def test_types_are_those_of_the_table(http, house):
    files = told(http, "EAGLE")["files"]
    assert (files["README"]["type"], files["parameters"]["type"]) == ("text/plain", "application/yaml")
    # Downloads say the character set, without which the client would guess another.
    assert http.get("hdfstream/download/EAGLE/parameters").headers["Content-Type"] == "application/yaml;charset=UTF-8"
    root = hdfstream.open(f"{house.url}hdfstream", "/")
    assert root["EAGLE/README"].open().read() == "Grüße\n"
    assert root["EAGLE/parameters"].open().read() == "a: 1\n"


def test_a_description_that_changes_counts_at_once(http, store):
    notes = store / "disk1/swift.msgpack"
    before = notes.read_bytes()
    notes.write_bytes(msgpack.packb({"description": "new"}))
    assert (told(http, "SWIFT")["description"], told(http, "SWIFT")["labels"]) == ("new", None)
    notes.write_bytes(b"\xc1 no msgpack")
    assert (told(http, "SWIFT")["description"], told(http, "SWIFT")["labels"]) == (None, None)
    notes.write_bytes(before)


def test_files_are_read_from_where_they_lie(house, http):
    root = hdfstream.open(f"{house.url}hdfstream", "/")
    np.testing.assert_array_equal(root["EAGLE/L25/snap_000.hdf5"]["x"][...], np.arange(10))
    np.testing.assert_array_equal(root["EAGLE/L50/snap.hdf5"]["x"][2:5], [32, 33, 34])
    # The other protocols serve the same tree.
    assert {entry["name"] for entry in http.get("v1/list/EAGLE").json()["entries"]} == {"L25", "L50", "README", "parameters"}
    assert http.get("v1/data/EAGLE/L25/snap_001.hdf5", params={"object": "/x", "rows": "0:2", "format": "json"}).json() == [18, 19]


@pytest.mark.parametrize(("name", "first"), [("to_listed", 18), ("to_other_disk", None), ("by_virtual_name", 30)])
def test_links_lead_to_what_is_listed(http, name, first):
    """By the real names beside the file, or by the names under which the table serves them."""
    answer = http.get("v1/data/EAGLE/L25/snap_000.hdf5", params={"object": f"/{name}", "rows": "0:1", "format": "json"})
    first = 30 if first is None else first
    assert (answer.status_code, answer.json()) == (200, [first])


@pytest.mark.parametrize("name", ["to_unlisted", "to_secret", "to_missing"])
def test_links_lead_nowhere_else(http, name):
    """To a file that is not listed, although it lies beside; to one that the caller may not see."""
    for answer in (
        http.get("v1/data/EAGLE/L25/snap_000.hdf5", params={"object": f"/{name}", "format": "json"}),
        http.get("hdfstream/msgpack/EAGLE/L25/snap_000.hdf5", params={"object": f"/{name}"}),
    ):
        assert answer.status_code in (404, 422)
        assert b"4242" not in answer.content
    insider = http.get("v1/data/EAGLE/L25/snap_000.hdf5", params={"object": f"/{name}", "rows": "0:1", "format": "json"}, auth=("insider", "wonderland"))
    assert (insider.status_code == 200) == (name == "to_secret")


def test_virtual_sources_are_what_the_caller_may_see(http):
    """A source that is hidden is as good as one that is missing: the fill value stands in its place, or reading fails."""
    asked = {"object": "/x", "format": "json"}
    assert http.get("v1/data/SWIFT/virtual.hdf5", params=asked | {"rows": "0:10"}).json() == list(range(30, 40))
    hidden = http.get("v1/data/SWIFT/virtual.hdf5", params=asked)
    assert b"424" not in hidden.content
    insider = http.get("v1/data/SWIFT/virtual.hdf5", params=asked, auth=("insider", "wonderland"))
    assert insider.json() == [*range(30, 40), *range(4242, 4252)]


def test_all_roles_of_all_folders_above_are_needed(http):
    for auth in (None, ("half", "wonderland")):
        assert set(told(http, "SWIFT", auth)["directories"]) == {"größe"}
        for path in ("SWIFT/private", "SWIFT/private/deep", "SWIFT/private/deep/secret.hdf5"):
            assert told(http, path, auth) == {"error": f"Invalid path specified: {path}"}
            assert http.get(f"hdfstream/download/{path}", auth=auth).status_code == 404
    insider = ("insider", "wonderland")
    assert set(told(http, "SWIFT", insider)["directories"]) == {"größe", "private"}
    assert told(http, "SWIFT/private", insider)["directories"] == {"deep": None}
    assert told(http, "", insider)["size"] > told(http, "")["size"]
    tar = http.get("hdfstream/download/SWIFT").content
    assert {m.name for m in tarfile.open(fileobj=io.BytesIO(tar))} == {"SWIFT/virtual.hdf5", "SWIFT/part.hdf5"}


@pytest.mark.parametrize("path", ["disk1/000017.hdf5", "EAGLE/L25/000017.hdf5", "EAGLE/L25/unlisted.hdf5", "EAGLE/L25/../../etc", "EAGLE/a%20folder", "EAGLE/a%20folder/000017.hdf5"])
def test_nothing_else_is_served(http, path):
    answer = http.get(http.base_url + "hdfstream/msgpack/" + path.replace("..", "%2e%2e"))
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ('table = "nowhere.csv"', "nowhere.csv"),
        ('table = "bad.csv"', "bad.csv, line 2"),
        ('table = "both.csv"', "both a folder and a file"),
        ('table = "good.csv"\npath = "."', "either path"),
        ("", "either path"),
        ("table = 5", "name of a table"),
    ],
)
def test_a_table_that_makes_no_sense_is_told_at_the_start(tmp_path, config, said):
    (tmp_path / "good.csv").write_text("a,/etc/hostname,1,2,text/plain\n")
    (tmp_path / "bad.csv").write_text("a,/etc/hostname,1,2,text/plain\nb,/etc/hostname,text/plain\n")
    (tmp_path / "both.csv").write_text("a,/etc/hostname,1,2,text/plain\na/b,/etc/hostname,1,2,text/plain\n")
    (tmp_path / "apus.toml").write_text(f'[[mounts]]\nname = ""\n{config}\n')
    done = run("serve", "--config", tmp_path / "apus.toml", "--listen", "127.0.0.1:0", "--state", tmp_path / "state", home=tmp_path)
    assert done.returncode != 0
    assert said in done.stderr
