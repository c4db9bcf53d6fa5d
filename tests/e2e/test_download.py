"""/v1/download and /v1/list: the files as they are."""

import io
import tarfile

import pytest

from conftest import PACKS, TEST_DATA, compared, swift_files

SMALL = TEST_DATA / "fof_catalogue.hdf5"
URL = f"/v1/download/data/{SMALL.name}"


@swift_files
def test_a_file_leaves_byte_for_byte(http, mount, path):
    answer = http.get(f"/v1/download/{mount}/{path.name}")
    assert answer.status_code == 200
    assert answer.content == path.read_bytes()
    assert int(answer.headers["Content-Length"]) == path.stat().st_size
    compared["files downloaded whole"] += 1


def test_a_download_is_resumed(http):
    whole = SMALL.read_bytes()
    first = http.get(URL, headers={"Range": "bytes=0-999"})
    assert (first.status_code, first.content) == (206, whole[:1000])
    rest = http.get(URL, headers={"Range": "bytes=1000-", "If-Range": first.headers["ETag"]})
    assert (rest.status_code, rest.content) == (206, whole[1000:])
    assert rest.headers["Content-Range"] == f"bytes 1000-{len(whole) - 1}/{len(whole)}"
    assert http.get(URL, headers={"Range": f"bytes={len(whole)}-"}).status_code == 416
    assert http.get(URL, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304


def test_head_of_a_download(http):
    head = http.head(URL)
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["Content-Length"]) == SMALL.stat().st_size
    assert head.headers["Accept-Ranges"] == "bytes"


def test_a_folder_leaves_as_a_tar(http, scratch):
    folder = scratch / "folder"
    (folder / "inner" / "deeper").mkdir(parents=True)
    contents = {"a.txt": b"a", "inner/b.bin": bytes(range(256)) * 5000, "inner/deeper/gr\u00fcn.txt": b"", "inner/" + "n" * 120 + ".txt": b"long"}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / ".hidden").write_bytes(b"not for others")
    answer = http.get("/v1/download/scratch/folder")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/x-tar"
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
        files = {member.name: tar.extractfile(member).read() for member in tar.getmembers() if member.isfile()}
    assert {name.removeprefix("folder/"): content for name, content in files.items()} == contents


@pytest.mark.parametrize("mount", PACKS)
def test_a_listing_names_every_file_with_its_size(http, mount):
    answer = http.get(f"/v1/list/{mount}")
    assert answer.status_code == 200
    entries = {entry["name"]: entry for entry in answer.json()["entries"]}
    files = {path.name: path for path in PACKS[mount].iterdir() if path.is_file()}
    assert set(entries) == set(files)
    for name, path in files.items():
        assert entries[name]["kind"] == "file"
        assert entries[name]["size_bytes"] == path.stat().st_size
        assert entries[name]["modified_s"] == int(path.stat().st_mtime)


def test_the_root_lists_the_mounts(http):
    entries = http.get("/v1/list/").json()["entries"]
    assert {entry["name"] for entry in entries} >= {"data", "scratch"}
    assert {entry["kind"] for entry in entries} == {"folder"}


def test_what_is_hidden_or_no_file_is_not_listed(http, scratch):
    import os
    import socket

    folder = scratch / "mixed"
    folder.mkdir()
    (folder / "seen.txt").write_text("x")
    (folder / ".hidden").write_text("x")
    (folder / ".git").mkdir()
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "socket"))
        (folder / "outside").symlink_to("/etc/passwd")
        (folder / "dangling").symlink_to("/is/not/there")
        (folder / "inside").symlink_to("seen.txt")
        names = {entry["name"] for entry in http.get("/v1/list/scratch/mixed").json()["entries"]}
        assert names == {"seen.txt", "inside"}
        for name in (".hidden", ".git", "pipe", "socket", "outside", "dangling"):
            assert http.get(f"/v1/download/scratch/mixed/{name}").status_code == 404, name
