"""The hdfstream protocol on the wire: requests put together by hand, and what the answers are made of."""

import gzip
import os
import subprocess
import urllib.parse

import h5py
import hdfstream
import msgpack
import numpy as np
import pyarrow
import pytest
from hdfstream.exceptions import HDFStreamRequestError

from accounts import add_user, bearer, create_token, jwt_of
from apus_server import Server

MSGPACK = "application/x-msgpack"
N = 1000
LOOSE = "größe/σ_8 ☀/snap 0001.hdf5"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An open folder and a closed one, with all that the tests look at."""
    folder = tmp_path_factory.mktemp("protocol")
    for name in ("open/empty", "open/größe/σ_8 ☀", "open/mixed/deep", "closed"):
        (folder / name).mkdir(parents=True)
    with h5py.File(folder / "open/x.hdf5", "w") as f:
        f["x"] = np.arange(3.0 * N).reshape(N, 3)
        f["line"] = np.arange(N)
        f["scalar"] = 2.5
        f["text"] = ["a", "bc"]
        f["nothing"] = h5py.Empty("f4")
        f["no_text"] = h5py.Empty(h5py.string_dtype())
        f["dangling"] = h5py.SoftLink("/nowhere")
        f["type"] = np.dtype("f8")
        f.create_dataset("big", data=np.zeros(200_000))
        group = f.create_group("many")
        for i in range(200):
            group.create_dataset(f"Field{i:03d}", (1000,), "f4").attrs["Description"] = "what a field holds, at some length"
    with h5py.File(folder / "open" / LOOSE, "w") as f:
        f["β/ρ²"] = np.arange(5)
    (folder / "open/README").write_text("Grüße\n", encoding="utf-8")
    (folder / "open/core").write_bytes(b"\x7fELF\x00\x01")
    (folder / "open/notes.yml").write_text("a: 1\n")
    (folder / "open/false.hdf5").write_text("no HDF5\n")
    (folder / "open/mixed/a.txt").write_bytes(b"12345")
    (folder / "open/mixed/deep/b.txt").write_bytes(b"123")
    (folder / "closed/secret.hdf5").write_bytes((folder / "open/x.hdf5").read_bytes())
    os.utime(folder / "open/README", ns=(0, 1_600_000_123_456_000_000))
    return folder


@pytest.fixture(scope="module")
def house(folder, tmp_path_factory):
    home = tmp_path_factory.mktemp("house")
    (home / "apus.toml").write_text(
        f'[[mounts]]\nname = "open"\npath = "{folder}/open"\nfolders = [{{ path = "mixed/deep", roles = ["core"] }}]\n'
        f'[[mounts]]\nname = "closed"\npath = "{folder}/closed"\nroles = ["core"]\n'
    )
    add_user(home, "insider", "wonderland", "core")
    with Server({}, home, ("--config", home / "apus.toml")) as server:
        yield server


@pytest.fixture(scope="module")
def wire(house):
    with house.session() as session:
        yield session


def get(wire, path, /, **arguments):
    return wire.get("hdfstream/msgpack/" + urllib.parse.quote(path), **arguments)


def post(wire, path, body, content_type=MSGPACK, **arguments):
    data = body if isinstance(body, bytes) else msgpack.packb(body)
    return wire.post("hdfstream/msgpack/" + urllib.parse.quote(path), data=data, headers={"Content-Type": content_type}, **arguments)


def told(answer, status=200):
    """The answer, unpacked; every answer of this protocol, errors too, has exactly this type."""
    assert answer.status_code == status, answer.content[:300]
    assert answer.headers["Content-Type"] == MSGPACK
    return msgpack.unpackb(answer.content)


def array(answer):
    """An array as the client's fast path wants it: five bytes first, the data last, nothing behind."""
    body = answer.content
    assert body.startswith(b"\x86\xa2nd\xc3")
    members = told(answer)
    assert list(members) == ["nd", "type", "kind", "shape", "nbytes", "data"]
    assert int(answer.headers["Content-Length"]) == len(body)
    data = b"".join(members["data"])
    assert len(data) == members["nbytes"]
    return np.frombuffer(data, members["type"]).reshape(members["shape"])


# ---------------------------------------------------------------------------------------------------------------- errors

X, LINE = {"object": "/x"}, {"object": "/line"}
BODY_ERRORS = [
    (b"", "Unable to decode request: the body ends too early"),
    (b"\xc1", "Unable to decode request: expected a map, found binary or extension value"),
    (b"\x93\x01\x02\x03", "Unable to decode request: expected a map, found an array of another length or in another place"),
    (b"\x80\x00", "Unable to decode request: there is something after the request's map"),
    (b"\x81\xa6obj", "Unable to decode request: the body ends too early"),
    ({"object": 1}, "Unable to decode request: expected a string as object, found an integer"),
    ({"object": None}, "Unable to decode request: expected a string as object, found nil"),
    ({"object": "/x", "max_depth": 1.0}, "Unable to decode request: expected an integer as max_depth, found float"),
    ({"object": "/x", "max_depth": 2**31}, "Unable to decode request: max_depth is too large"),
    (dict.fromkeys("abcde", 1), "Too many parameters in msgpack request"),
    (b"\x82\xa6object\xa2/x\xa6object\xa2/x", "Duplicate parameter: object"),
    ({"object": "/x", "max_data_size": 1}, "Unrecognized parameter: max_data_size"),
    ({"max_depth": -1}, "max_depth must not be negative"),
    ({"data_size_limit": -(2**40)}, "data_size_limit must not be negative"),
    ({"object": "/" + "x" * 4096}, "Object name is too long"),
    ({"object": "/x\n"}, "Object names must contain printable characters only"),
    ({"slice": [[0, 1]]}, "Can't specify slicing parameters without object name"),
    ({"slice": "0:1"}, "Can't specify slicing parameters without object name"),
    (X | {"slice": "0:1," + "0" * (8 << 20)}, "Unable to decode request: a string of 8388612 bytes is longer than 8388608"),
    (X | {"slice": [[0, 1]] * 9}, "Unable to decode request: Too many dimensions!"),
    (X | {"slice": ",".join(["0"] * 9)}, "Unable to decode request: Too many dimensions!"),
    (X | {"slice": "a:3"}, "Unable to decode request: Unable to parse start index as integer"),
    (X | {"slice": "3:"}, "Unable to decode request: Unable to parse stop index as integer"),
    (X | {"slice": "-3:5"}, "Unable to decode request: Slice indexes must not be negative"),
    (X | {"slice": [[-3, 5], [0, 3]]}, "Unable to decode request: Slice indexes must not be negative"),
    (X | {"slice": [[[1, -2], 5], [0, 3]]}, "Unable to decode request: Slice indexes must not be negative"),
    (X | {"slice": "0:1,0:3;5:6"}, "Unable to decode request: Slices must all have the same number of dimensions!"),
    (X | {"slice": [[[], []], [0, 3]]}, "Unable to decode request: slice starts must not be empty"),
    (X | {"slice": [[[1], []], [0, 3]]}, "Unable to decode request: slice counts must not be empty"),
    (X | {"slice": [[[1, 2], [1, 1, 1]], [0, 3]]}, "Unable to decode request: 2 slice starts but 3 counts"),
    (X | {"slice": [[0, 1], [[0, 1], 1]]}, "Unable to decode request: only the first dimension can have several slices"),
    (X | {"slice": [[0], [0, 3]]}, "Unable to decode request: expected [start, count] for a dimension, found an array of another length or in another place"),
    (X | {"slice": 5}, "Unable to decode request: expected a string or arrays as slice, found an integer"),
    (b"\x82\xa6object\xa2/x\xa5slice\x91\x92\xdd\x01\x00\x00\x01", "Unable to decode request: Too many slices!"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "text"), BODY_ERRORS, ids=range(len(BODY_ERRORS)))
def test_bad_bodies_are_400_with_the_texts_that_clients_show(wire, body, text):
    assert told(post(wire, "open/x.hdf5", body), 400) == {"error": text}


QUERY_ERRORS = [
    ({"max_depth": ""}, "Unable to interpret max_depth parameter as integer"),
    ({"max_depth": " 10"}, "Unable to interpret max_depth parameter as integer"),
    ({"max_depth": "10 "}, "Unable to interpret max_depth parameter as integer"),
    ({"max_depth": "3.0"}, "Unable to interpret max_depth parameter as integer"),
    ({"max_depth": "abc"}, "Unable to interpret max_depth parameter as integer"),
    ({"max_depth": str(2**31)}, "Unable to interpret max_depth parameter as integer"),
    ({"data_size_limit": "1e3"}, "Unable to interpret data_size_limit parameter as integer"),
    ({"data_size_limit": str(2**31)}, "Unable to interpret data_size_limit parameter as integer"),
    ({"max_depth": "-1"}, "max_depth must not be negative"),
    ({"data_size_limit": "-5"}, "data_size_limit must not be negative"),
    ({"object": "/" + "x" * 4096}, "Object name is too long"),
    ({"object": "/x\x07"}, "Object names must contain printable characters only"),
    ({"slice": "0:1"}, "Can't specify slicing parameters without object name"),
    (X | {"slice": "x"}, "Unable to parse start index as integer"),
    (X | {"slice": "0:1:2"}, "Unable to parse stop index as integer"),
    (X | {"slice": "0:-1"}, "Slice indexes must not be negative"),
    (X | {"slice": "0,0,0,0,0,0,0,0,0"}, "Too many dimensions!"),
    (X | {"slice": "1;1,2"}, "Slices must all have the same number of dimensions!"),
]


@pytest.mark.parametrize(("parameters", "text"), QUERY_ERRORS, ids=range(len(QUERY_ERRORS)))
def test_bad_queries_are_400_with_the_texts_that_clients_show(wire, parameters, text):
    assert told(get(wire, "open/x.hdf5", params=parameters), 400) == {"error": text}


def test_a_path_may_have_4096_bytes(wire):
    assert told(get(wire, "open/" + "x" * 4092), 400) == {"error": "Path is too long: 4097 bytes"}
    assert told(post(wire, "open/" + "x" * 4092, {}), 400) == {"error": "Path is too long: 4097 bytes"}
    assert told(get(wire, "open/" + "x" * 4091), 404) == {"error": "Invalid path specified: open/" + "x" * 4091}


@pytest.mark.parametrize("path", ["does-not-exist", "open/nothing.hdf5", "open//x.hdf5", "open/x.hdf5//", "open/x.hdf5/x", "Open/x.hdf5", "open/./x.hdf5", "open/.hidden", "a\0b"])
@pytest.mark.parametrize("body", [{}, X, X | {"slice": [[0, 1], [0, 3]]}], ids=["path", "object", "slice"])
def test_paths_that_lead_nowhere(wire, path, body):
    # The whole URL, since joining one would put empty and dotted parts in order.
    url = f"{wire.base_url}hdfstream/msgpack/" + urllib.parse.quote(path).replace("/./", "/%2e/")
    answer = wire.post(url, data=msgpack.packb(body), headers={"Content-Type": MSGPACK})
    text = told(answer, 404)["error"]
    assert text.startswith("Invalid path specified: "), text


def test_the_error_of_a_missing_path_is_the_originals_to_the_byte(wire):
    """A recorded answer of the original server."""
    answer = post(wire, "does-not-exist", {})
    assert answer.content == b"\x81\xa5error\xd9\x26Invalid path specified: does-not-exist"


@pytest.mark.parametrize(
    ("path", "body", "begin"),
    [
        ("open/README", X, "Failed to open object"),
        ("open/false.hdf5", X, "Failed to open object"),
        ("open/false.hdf5", X | {"slice": [[0, 1], [0, 3]]}, "Failed to open dataset slice"),
        ("open/x.hdf5", {"object": "/nowhere", "slice": [[0, 1]]}, "Failed to open dataset slice"),
        ("open/x.hdf5", {"object": "/many", "slice": [[0, 1]]}, "Failed to open dataset slice"),
        ("open/x.hdf5", {"object": "/nowhere"}, "Unable to read data stream"),
        ("open/x.hdf5", {"object": "/x/y"}, "Unable to read data stream"),
        ("open/x.hdf5", {"object": "/dangling"}, "Unable to read data stream"),
        ("open/x.hdf5", {"object": "/type"}, "Unable to read data stream"),
        # wrong rank
        ("open/x.hdf5", X | {"slice": [[0, 1]]}, "Unable to read data stream"),
        ("open/x.hdf5", X | {"slice": []}, "Unable to read data stream"),
        ("open/x.hdf5", {"object": "/scalar", "slice": [[0, 1]]}, "Unable to read data stream"),
        # beyond the extent
        ("open/x.hdf5", LINE | {"slice": [[0, N + 1]]}, "Unable to read data stream"),
        ("open/x.hdf5", LINE | {"slice": [[N + 1, 0]]}, "Unable to read data stream"),
        ("open/x.hdf5", LINE | {"slice": [[2**64 - 1, 2**64 - 1]]}, "Unable to read data stream"),
        ("open/x.hdf5", X | {"slice": [[0, 1], [0, 4]]}, "Unable to read data stream"),
        # descending, overlapping, different in another dimension than the first
        ("open/x.hdf5", LINE | {"slice": [[[5, 4], 1]]}, "Unable to read data stream"),
        ("open/x.hdf5", LINE | {"slice": [[[5, 7], [3, 1]]]}, "Unable to read data stream"),
        ("open/x.hdf5", LINE | {"slice": "5:8;7:9"}, "Unable to read data stream"),
        ("open/x.hdf5", X | {"slice": "0:1,0:2;1:2,0:3"}, "Unable to read data stream"),
    ],
)
def test_what_cannot_be_read_is_404_and_says_why(wire, path, body, begin):
    text = told(post(wire, path, body), 404)["error"]
    assert text.startswith(begin + ": "), text
    assert len(text) > len(begin) + 10


@pytest.mark.parametrize("content_type", ["application/msgpack", "application/json", "application/x-msgpack; charset=utf-8", "Application/X-MsgPack", ""])
def test_another_type_of_body_is_415(wire, content_type):
    assert told(post(wire, "open", {}, content_type), 415) == {"error": "POST requests must have content type application/x-msgpack"}


@pytest.mark.parametrize("path", ["hdfstream/msgpack/%ff", "hdfstream/msgpack/open/%ff%fe.hdf5"])
def test_a_path_that_is_no_text_is_a_missing_one(wire, path):
    assert told(wire.get(path), 404)["error"].startswith("Invalid path specified: ")


# ---------------------------------------------------------------------------------------- folders, files and what they hold


def test_the_root_names_what_is_public(wire):
    root = told(get(wire, ""))
    assert list(root) == ["type", "size", "description", "labels", "files", "directories"]
    assert (root["type"], root["files"], root["directories"]) == ("directory", {}, {"open": None})
    assert told(post(wire, "", {})) == told(get(wire, "/")) == told(wire.get("hdfstream/msgpack")) == root


def test_a_folder_lists_empty_ones_and_counts_what_is_below(wire, folder):
    listing = told(get(wire, "open"))
    assert set(listing["directories"]) == {"empty", "größe", "mixed"}
    assert listing["directories"]["empty"] is None
    assert listing["size"] == sum(p.stat().st_size for p in (folder / "open").rglob("*") if p.is_file() and p.name != "b.txt")
    assert told(get(wire, "open/empty")) == {"type": "directory", "size": 0, "description": None, "labels": None, "files": {}, "directories": {}}
    assert told(get(wire, "open/empty/")) == told(get(wire, "/open/empty"))


def test_depth_expands_folders(wire):
    nested = told(post(wire, "", {"max_depth": 2}))
    assert nested["directories"]["open"] == told(get(wire, "open", params={"max_depth": 1}))
    assert nested["directories"]["open"]["directories"]["größe"]["directories"] == {"σ_8 ☀": None}


def test_files_tell_their_type_size_and_time_in_milliseconds(wire, folder):
    files = told(get(wire, "open"))["files"]
    types = {name: entry["type"] for name, entry in files.items()}
    assert types == {
        "x.hdf5": "application/x-hdf5", "false.hdf5": "application/x-hdf5", "README": "text/plain;charset=UTF-8",
        "core": "application/octet-stream", "notes.yml": "application/yaml",
    }  # fmt: skip
    assert files["README"] == {"type": "text/plain;charset=UTF-8", "size": 8, "last_modified": 1_600_000_123_000}
    for name in files:
        assert told(post(wire, f"open/{name}", {})) == files[name]
    # What is asked of a folder's object is the folder.
    assert told(post(wire, "open", X)) == told(post(wire, "open", {}))


def test_unknown_parameters_of_get_are_ignored(wire):
    assert told(get(wire, "open/x.hdf5", params={"page": "3", "x": ""})) == told(get(wire, "open/x.hdf5"))


def test_objects_by_get_and_by_post_are_the_same(wire):
    by_get = get(wire, "open/x.hdf5", params={"object": "/", "max_depth": 5, "data_size_limit": 100})
    by_post = post(wire, "open/x.hdf5", {"object": "/", "max_depth": 5, "data_size_limit": 100})
    assert told(by_get) == told(by_post)
    members = told(by_get)["members"]
    assert members["dangling"] == {"hdf5_object": "soft_link", "target": "/nowhere"}
    assert members["type"] is None
    assert list(members["x"]) == ["hdf5_object", "attributes", "type", "kind", "shape"]
    assert members["scalar"]["data"]["data"] == [np.float64(2.5).tobytes()]
    # Without a limit everything that is small comes along.
    assert "data" in told(get(wire, "open/x.hdf5", params={"object": "/x"}))


@pytest.mark.parametrize(
    ("path", "parameters"),
    [("", {}), ("open/README", {}), ("open/x.hdf5", {"object": "/"}), ("open/x.hdf5", {"object": "/x", "slice": "0:5,0:3"}), ("open/x.hdf5", {"object": "/big", "slice": "0:200000"})],
)
def test_head_is_get_without_the_body(wire, path, parameters):
    plain = {"Accept-Encoding": "identity"}
    whole = get(wire, path, params=parameters, headers=plain)
    head = wire.head("hdfstream/msgpack/" + path, params=parameters, headers=plain)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("Content-Type", "Content-Length", "ETag"):
        assert head.headers.get(name) == whole.headers.get(name)
    assert int(head.headers["Content-Length"]) == len(whole.content)


@pytest.mark.parametrize(
    ("path", "parameters", "status"),
    [
        ("nowhere", {}, 404), ("open/x.hdf5", {"object": "/nowhere"}, 404), ("open/README", X, 404), ("open/x.hdf5", {"slice": "0:1"}, 400),
        ("open/x.hdf5", X | {"slice": "0:1"}, 404), ("open/x.hdf5", X | {"max_depth": "-1"}, 400), ("open/" + "x" * 4092, {}, 400),
    ],
)  # fmt: skip
def test_get_head_and_post_refuse_the_same(wire, path, parameters, status):
    by_get = get(wire, path, params=parameters)
    by_head = wire.head("hdfstream/msgpack/" + path, params=parameters)
    by_post = post(wire, path, {name: int(value) if name == "max_depth" else value for name, value in parameters.items()})
    assert told(by_get, status) == told(by_post, status)
    assert (by_head.status_code, by_head.content, by_head.headers["Content-Type"]) == (status, b"", MSGPACK)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(wire, method):
    assert wire.request(method, "hdfstream/msgpack/open/x.hdf5", data=b"\x80").status_code == 405


def test_any_unicode_name(wire, house):
    assert told(get(wire, f"open/{LOOSE}"))["type"] == "application/x-hdf5"
    answer = post(wire, f"open/{LOOSE}", {"object": "/β/ρ²", "slice": [[1, 3]]})
    np.testing.assert_array_equal(array(answer), [1, 2, 3])
    remote = hdfstream.open(f"{house.url}hdfstream", f"open/{LOOSE}")
    np.testing.assert_array_equal(remote["β/ρ²"][...], np.arange(5))
    assert wire.get("hdfstream/download/open/" + urllib.parse.quote(LOOSE)).content[:4] == b"\x89HDF"


# ---------------------------------------------------------------------------------------------------------------- slices


@pytest.mark.parametrize(
    ("name", "slices", "rows", "columns"),
    [
        ("x", [[3, 4], [0, 3]], [*range(3, 7)], slice(0, 3)),
        ("x", [[[5, 17, 19, 100], [4, 1, 2, 4]], [0, 3]], [5, 6, 7, 8, 17, 19, 20, 100, 101, 102, 103], slice(0, 3)),
        ("x", [[[1, 10, 20], 2], [1, 1]], [1, 2, 10, 11, 20, 21], slice(1, 2)),
        ("x", [[[1, 10], [2]], [[1], [2]]], [1, 2, 10, 11], slice(1, 3)),
        ("x", "3:5,0:3 ; 5 : 6 , 0:3;900,0:3", [3, 4, 5, 900], slice(0, 3)),
        ("x", "7,1", [7], slice(1, 2)),
        # Zero counts, anywhere: they contribute nothing.
        ("x", [[[0, 5, 7, 7, N], [0, 2, 0, 1, 0]], [0, 3]], [5, 6, 7], slice(0, 3)),
        ("x", [[0, 0], [0, 3]], [], slice(0, 3)),
        ("x", [[[3, 9], 0], [0, 3]], [], slice(0, 3)),
        ("x", [[3, 4], [1, 0]], [*range(3, 7)], slice(1, 1)),
        ("x", [[3, 4], [3, 0]], [*range(3, 7)], slice(3, 3)),
        ("x", [[0, N], [0, 3]], [*range(N)], slice(0, 3)),
    ],
)
def test_slices_are_joined_along_the_first_dimension(wire, name, slices, rows, columns):
    expected = np.arange(3.0 * N).reshape(N, 3)[rows][:, columns]
    found = array(post(wire, "open/x.hdf5", {"object": f"/{name}", "slice": slices}))
    assert found.dtype == "<f8" and found.shape == expected.shape
    np.testing.assert_array_equal(found, expected)
    if isinstance(slices, str):
        by_get = get(wire, "open/x.hdf5", params={"object": f"/{name}", "slice": slices})
        np.testing.assert_array_equal(array(by_get), expected)


def test_an_array_is_the_originals_to_the_byte(wire):
    """The form of a recorded answer of the original server to `[500:501, :]` of (N, 3) doubles."""
    answer = post(wire, "open/x.hdf5", X | {"slice": [[500, 1], [0, 3]]})
    assert answer.content == (
        b"\x86\xa2nd\xc3\xa4type\xa3<f8\xa4kind\xa0\xa5shape\x92\x01\x03\xa6nbytes\x18\xa4data\x91\xc4\x18" + np.arange(1500.0, 1503).tobytes()
    )


@pytest.mark.parametrize("slices", [[[0, 0]], "0:0"])
@pytest.mark.parametrize("name", ["nothing", "no_text"])
def test_a_dataset_without_a_space_is_an_empty_array(wire, name, slices):
    """As its attributes are: the description, the contents in it and slices say the same."""
    described = told(post(wire, "open/x.hdf5", {"object": f"/{name}"}))
    assert described["shape"] == described["data"]["shape"] == [0]
    assert told(post(wire, "open/x.hdf5", {"object": f"/{name}", "slice": slices})) == described["data"]


@pytest.mark.parametrize("slices", [[], ""])
def test_a_scalar_has_slices_of_no_dimension(wire, slices):
    found = array(post(wire, "open/x.hdf5", {"object": "/scalar", "slice": slices}))
    assert found.shape == () and found == 2.5


def test_strings_of_variable_length(wire):
    found = told(post(wire, "open/x.hdf5", {"object": "/text", "slice": [[0, 2]]}))
    assert found == {"vlen": True, "shape": [2], "data": ["a", "bc"]}


# --------------------------------------------------------------------------------------- states, codings, other transports


@pytest.mark.parametrize("parameters", [{"object": "/many"}, {"object": "/x", "slice": "0:5,0:3"}, {"object": "/big", "slice": "0:200000"}])
def test_who_has_an_answer_already_is_told_so(wire, folder, parameters):
    first = get(wire, "open/x.hdf5", params=parameters)
    tag = first.headers["ETag"]
    for known in (tag, f'"other", {tag}', "*", tag.removeprefix("W/")):
        again = get(wire, "open/x.hdf5", params=parameters, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    for unknown in ('"other"', ""):
        assert get(wire, "open/x.hdf5", params=parameters, headers={"If-None-Match": unknown}).content == first.content
    other = get(wire, "open/x.hdf5", params=parameters | {"object": "/line"} if "slice" not in parameters else {"object": "/line", "slice": "0:1"})
    assert other.headers["ETag"] != tag
    os.utime(folder / "open/x.hdf5")
    changed = get(wire, "open/x.hdf5", params=parameters, headers={"If-None-Match": tag})
    assert changed.status_code == 200 and changed.headers["ETag"] != tag


def test_a_change_of_a_virtual_source_is_a_change(wire, folder):
    """The file itself stays as it is: what it shows does not."""
    with h5py.File(folder / "open/source.hdf5", "w") as f:
        f["x"] = np.arange(10)
    layout = h5py.VirtualLayout(shape=(10,), dtype="i8")
    layout[:] = h5py.VirtualSource("source.hdf5", "x", shape=(10,))
    with h5py.File(folder / "open/virtual.hdf5", "w", libver="latest") as f:
        f.create_virtual_dataset("x", layout)
        f["elsewhere"] = h5py.ExternalLink("source.hdf5", "/x")
    asked = [{"object": "/"}, {"object": "/x", "slice": "0:10"}, {"object": "/elsewhere", "slice": "0:10"}]
    before = [get(wire, "open/virtual.hdf5", params=parameters) for parameters in asked]
    assert told(before[0])["members"]["x"]["data"]["data"] == [np.arange(10).tobytes()]
    with h5py.File(folder / "open/source.hdf5", "r+") as f:
        f["x"][...] = np.arange(10, 20)
    for parameters, first in zip(asked, before):
        known = {"If-None-Match": first.headers["ETag"]} if "ETag" in first.headers else {}
        after = get(wire, "open/virtual.hdf5", params=parameters, headers=known)
        assert after.status_code == 200 and after.content != first.content
    (folder / "open/virtual.hdf5").unlink()
    (folder / "open/source.hdf5").unlink()


def raw(wire, method, path, coding, **arguments):
    headers = {"Accept-Encoding": coding, "Content-Type": MSGPACK}
    with wire.request(method, "hdfstream/msgpack/" + path, headers=headers, stream=True, **arguments) as answer:
        return answer, answer.raw.read(decode_content=False)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("accepted", "used"),
    [("gzip, deflate", "gzip"), ("gzip, deflate, br, zstd", "gzip"), ("zstd", "zstd"), ("gzip;q=0.1, zstd;q=0.9", "zstd"), ("identity", None), ("br", None), ("gzip;q=0", None)],
)
def test_descriptions_leave_compressed_where_the_client_offers_it(wire, method, accepted, used):
    asked = {"params": {"object": "/many"}} if method == "GET" else {"data": msgpack.packb({"object": "/many"})}
    _, plain = raw(wire, method, "open/x.hdf5", "identity", **asked)
    assert len(msgpack.unpackb(plain)["members"]) == 200
    for _ in range(2):  # made, then kept
        answer, body = raw(wire, method, "open/x.hdf5", accepted, **asked)
        assert answer.headers.get("Content-Encoding") == used
        assert "accept-encoding" in answer.headers["Vary"].lower()
        assert int(answer.headers["Content-Length"]) == len(body)
        if used is None:
            assert body == plain
            continue
        assert len(body) < len(plain) / 5
        decoded = gzip.decompress(body) if used == "gzip" else pyarrow.decompress(body, len(plain), "zstd", asbytes=True)
        assert decoded == plain


def test_listings_are_compressed_too(wire, folder):
    for i in range(100):
        (folder / f"open/empty/snapshot_{i:04d}.hdf5").touch()
    _, plain = raw(wire, "GET", "open/empty", "identity")
    answer, body = raw(wire, "GET", "open/empty", "gzip")
    assert (answer.headers["Content-Encoding"], gzip.decompress(body)) == ("gzip", plain)
    for path in (folder / "open/empty").iterdir():
        path.unlink()


@pytest.mark.parametrize(("name", "slices"), [("big", "0:200000"), ("x", "0:900,0:3"), ("x", "0:1,0:3")])
def test_arrays_and_short_answers_leave_as_they_are(wire, name, slices):
    answer, body = raw(wire, "GET", "open/x.hdf5", "gzip, zstd", params={"object": f"/{name}", "slice": slices})
    assert "Content-Encoding" not in answer.headers
    assert body.startswith(b"\x86\xa2nd\xc3")


def test_http_2_with_prior_knowledge(house, tmp_path):
    """curl speaks it; the body is a file because the command line is no place for bytes."""
    (tmp_path / "body").write_bytes(msgpack.packb(X | {"slice": [[1, 2], [0, 3]]}))
    done = subprocess.run(
        ["curl", "-sS", "--http2-prior-knowledge", "-w", "%{stderr}%{http_version} %{content_type}", "--data-binary", f"@{tmp_path}/body",
         "-H", f"Content-Type: {MSGPACK}", f"{house.url}hdfstream/msgpack/open/x.hdf5"], capture_output=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stderr.decode() == f"2 {MSGPACK}"
    assert b"".join(msgpack.unpackb(done.stdout)["data"]) == np.arange(3.0, 9).tobytes()


def test_pages_of_other_origins_may_read_where_the_operator_says_so(start_server, folder):
    server = start_server({"": folder / "open"}, "--cors-origin", "https://example.org")
    with server.session() as session:
        asked = {"Origin": "https://example.org", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
        allowed = session.options("hdfstream/msgpack/x.hdf5", headers=asked)
        assert allowed.headers["Access-Control-Allow-Origin"] == "https://example.org"
        assert "POST" in allowed.headers["Access-Control-Allow-Methods"]
        assert "content-type" in allowed.headers["Access-Control-Allow-Headers"].lower()
        to_resume = session.options("hdfstream/download/x.hdf5", headers=asked | {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "range,if-range"})
        assert {"range", "if-range"} <= set(to_resume.headers["Access-Control-Allow-Headers"].lower().split(","))
        # Answers too, errors among them; and a page must be able to read what it resumes by.
        for url, status in (("msgpack/x.hdf5?object=/x", 200), ("download/x.hdf5", 200), ("msgpack/nowhere", 404), ("download/nowhere", 404), ("nowhere", 404)):
            answer = session.get("hdfstream/" + url, headers={"Origin": "https://example.org"})
            assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (status, "https://example.org")
            assert {"content-range", "etag", "content-length"} <= set(answer.headers["Access-Control-Expose-Headers"].lower().split(","))
        refused = session.get("hdfstream/msgpack/", headers={"Origin": "https://example.org"}, auth=("nobody", "wrong"))
        assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (401, "https://example.org")
        for headers in (asked | {"Origin": "https://example.com"}, {"Origin": "null"}):
            assert "Access-Control-Allow-Origin" not in session.options("hdfstream/msgpack/x.hdf5", headers=headers).headers


# ----------------------------------------------------------------------------------------------------------- credentials


def test_wrong_credentials_are_401_even_where_everything_is_public(start_server, folder, house, wire):
    server = start_server({"": folder / "open"})
    with server.session() as session:
        for url in (session, wire):
            for path in ("", "x.hdf5", "nowhere"):
                for answer in (url.get("hdfstream/msgpack/" + path, auth=("nobody", "wrong")), post(url, path, {}, auth=("nobody", "wrong"))):
                    assert answer.status_code == 401
                for malformed in ("Basic !!!", "Bearer nonsense", "Negotiate x"):
                    assert url.get("hdfstream/msgpack/" + path, headers={"Authorization": malformed}).status_code == 401
                assert any(value.strip().startswith('Basic realm="') for value in answer.raw.headers.getlist("WWW-Authenticate"))
    assert wire.get("hdfstream/msgpack/", auth=("insider", "wrong")).status_code == 401
    with pytest.raises(HDFStreamRequestError, match=r"Not authorized\. Incorrect username or password\?"):
        hdfstream.open(f"{house.url}hdfstream", "/", user="insider", password="wrong again")


def test_what_needs_a_role_looks_like_nothing_to_others(wire, house, folder):
    insider = ("insider", "wonderland")
    assert told(get(wire, "", auth=insider))["directories"] == {"closed": None, "open": None}
    difference = told(get(wire, "", auth=insider))["size"] - told(get(wire, ""))["size"]
    assert difference == 3 + (folder / "closed/secret.hdf5").stat().st_size
    assert set(told(get(wire, "open/mixed"))["directories"]) == set()
    assert set(told(get(wire, "open/mixed", auth=insider))["directories"]) == {"deep"}
    assert told(get(wire, "open/mixed"))["size"] == 5
    for path, missing in (("closed", "closeD"), ("closed/secret.hdf5", "closed/secreT.hdf5"), ("open/mixed/deep", "open/mixed/deeP"), ("open/mixed/deep/b.txt", "open/mixed/deep/c.txt")):
        for body in ({}, X, X | {"slice": [[0, 1], [0, 3]]}):
            hidden, gone = post(wire, path, body), post(wire, missing, body)
            assert told(hidden, 404)["error"].lower() == told(gone, 404)["error"].lower().replace("c.txt", "b.txt")
        assert wire.get("hdfstream/download/" + path).status_code == 404
    np.testing.assert_array_equal(array(post(wire, "closed/secret.hdf5", X | {"slice": [[0, 1], [0, 3]]}, auth=insider)), [[0, 1, 2]])
    root = hdfstream.open(f"{house.url}hdfstream", "/", user="insider", password="wonderland")
    assert "closed" in root and root["closed/secret.hdf5"]["scalar"][()] == 2.5


def test_tokens_are_as_good_as_passwords(house, wire):
    token, _ = create_token(house.home, "insider")
    jwt = jwt_of(house.url, "insider", "wonderland")
    for arguments in ({"auth": ("insider", token)}, {"headers": bearer(token)}, {"headers": bearer(jwt)}, {"auth": ("insider", jwt)}):
        assert "closed" in told(get(wire, "", **arguments))["directories"], arguments


def test_missing_paths_are_key_errors(house):
    root = hdfstream.open(f"{house.url}hdfstream", "/")
    for path in ("nowhere", "open/nowhere.hdf5", "open/mixed/nowhere", "closed", "closed/secret.hdf5"):
        assert path not in root
        with pytest.raises(KeyError):
            root[path]
    with pytest.raises(HDFStreamRequestError, match="Invalid path specified: nowhere"):
        hdfstream.open(f"{house.url}hdfstream", "nowhere")
    remote = root["open/x.hdf5"]
    for path in ("nowhere", "many/nowhere", "nowhere/x"):
        assert path not in remote
        with pytest.raises(KeyError):
            remote[path]
    with pytest.raises(HDFStreamRequestError, match="Cannot open non-HDF5 file as HDF5!"):
        root["open/README"]["x"]


def test_the_pages_say_what_is_served(wire):
    for path in ("hdfstream", "hdfstream/", "hdfstream/viewer", "hdfstream/viewer/", "hdfstream/viewer/open/x.hdf5?object=/x"):
        page = wire.get(path)
        assert page.status_code == 200 and page.headers["Content-Type"].startswith("text/html")
        assert "/docs" in page.text
