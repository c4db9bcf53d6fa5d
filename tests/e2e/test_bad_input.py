"""Bad input gets a clear answer in the 4xx, and nothing else changes."""

import http.client
import json
import os
import re
import shutil
import urllib.parse

import h5py
import numpy as np
import pytest

from conftest import TEST_DATA

GOOD = TEST_DATA / "cosmo_box_lossy_nogzip.hdf5"
FIELD = "/PartType0/Coordinates"


def assert_problem(response, *statuses, code=None, words=(), tells_places=False):
    """An error in the form of RFC 9457, with one of these statuses and these words in its text; no place on the server in it."""
    assert response.status_code in statuses, f"{response.status_code} {response.text[:400]}"
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == response.status_code
    assert problem["title"]
    assert code is None or problem["code"] == code, problem
    for word in (words,) if isinstance(words, str) else words:
        assert word.lower() in problem["detail"].lower(), problem
    for place in (str(TEST_DATA), "/pytest-of-"):
        assert tells_places or place not in problem["detail"], "the error tells where things are on the server"


@pytest.fixture(autouse=True)
def nothing_else_changes(server, http):
    """After each test the same process answers the same request as before."""
    yield
    assert server.process.poll() is None, f"the server died:\n{server.output[-3000:]}"
    answer = http.get(f"/v1/data/data/{GOOD.name}", params={"object": FIELD, "rows": "0:10", "format": "raw"})
    with h5py.File(GOOD) as f:
        assert answer.content == f[FIELD][:10].tobytes()
    assert "panicked" not in server.output


def raw_get(server, target, headers=None):
    """Sends the request target exactly as it stands, which `requests` would put in order first."""
    address = urllib.parse.urlsplit(server.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
    connection.putrequest("GET", target, skip_accept_encoding=True)
    for name, value in (headers or {}).items():
        connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, body


# ------------------------------------------------------------------------------------------------ ways out of the mounts

ROUTES = ("/v1/list/", "/v1/info/", "/v1/object/", "/v1/data/", "/v1/download/")
WAYS_OUT = (
    "../{outside}", "../../../../../../../../../../../etc/passwd", "data/../../{outside}", "data/..", "..", "data/./../../{outside}",
    "%2e%2e/{outside}", "data/%2e%2e/%2e%2e/{outside}", "data%2f..%2f..%2f{outside}", "data/..%2f{outside}", "..%2f..%2f..%2f..%2fetc%2fpasswd",
    "%252e%252e/{outside}", "data/%252e%252e%252f{outside}", "..%5c{outside}", "data\\..\\{outside}", "%c0%ae%c0%ae/{outside}", "%u002e%u002e/{outside}",
    "//etc/passwd", "/etc/passwd", "%2fetc%2fpasswd", "%2f%2fetc/passwd", "data//etc/passwd", "data/%2fetc/passwd", "file:///etc/passwd",
    "data/%00", "data/%00/../{outside}", "{good}%00.hdf5", "data/\u2025/{outside}", "data/.../{outside}", "~/{outside}", "~root/.ssh/id_rsa",
    "proc/self/environ", "data/....//{outside}", "data/;/../{outside}", "data/.%2e/{outside}", "scratch/linked_outside.h5", "scratch/linked_folder/secret.h5",
)  # fmt: skip


@pytest.fixture(scope="module")
def outside(scratch):
    """A file beside the mounts, with links to it from within."""
    folder = scratch.parent / "outside_of_all_mounts"
    folder.mkdir()
    with h5py.File(folder / "secret.h5", "w") as f:
        f["x"] = np.arange(4242, 4252)
    (scratch / "linked_outside.h5").symlink_to(folder / "secret.h5")
    (scratch / "linked_folder").symlink_to(folder)
    return folder / "secret.h5"


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("way", WAYS_OUT)
def test_no_path_leads_out(server, outside, route, way):
    target = route + way.format(outside=f"{outside.parent.name}/secret.h5", good=f"data/{GOOD.name}")
    status, body = raw_get(server, urllib.parse.quote(target, safe="/%.\\:;~") + "?object=/x")
    assert 400 <= status < 500, f"{target}: {status} {body[:300]}"
    assert b"root:" not in body
    assert b"4242" not in body


@pytest.mark.parametrize("target", ["secret.h5", "../outside_of_all_mounts/secret.h5", "{outside}", "linked_outside.h5", "linked_folder/secret.h5", "../../../../../../etc/passwd"])
def test_no_link_inside_a_file_leads_out(http, scratch, outside, target):
    target = target.format(outside=outside)
    path = scratch / "leads_out.h5"
    with h5py.File(path, "w", libver="latest") as f:
        f["link"] = h5py.ExternalLink(target, "/x")
        layout = h5py.VirtualLayout(shape=(10,), dtype="i8")
        layout[:] = h5py.VirtualSource(target, "x", shape=(10,))
        f.create_virtual_dataset("virtual", layout, fillvalue=-1)
    link = http.get("/v1/data/scratch/leads_out.h5", params={"object": "/link"})
    # What stands in the file may be told: whoever asks may read the file.
    assert_problem(link, 404, 422, tells_places=True)
    virtual = http.get("/v1/data/scratch/leads_out.h5", params={"object": "/virtual", "format": "json"})
    if virtual.status_code == 200:
        # As if the source did not exist: the fill value, which is also what libhdf5 gives then.
        assert b"424" not in virtual.content
        assert b"-1" in virtual.content
    else:
        assert_problem(virtual, 404, 422, tells_places=True)
    assert b"4242" not in http.get("/v1/object/scratch/leads_out.h5", params={"object": "/"}).content
    path.unlink()


def test_external_storage_is_refused(http, scratch, outside):
    path = scratch / "external_storage.h5"
    with h5py.File(path, "w") as f:
        f.create_dataset("x", shape=(100,), dtype="u1", external=[("/etc/passwd", 0, h5py.h5f.UNLIMITED)])
    for form in ("npy", "raw", "json"):
        answer = http.get("/v1/data/scratch/external_storage.h5", params={"object": "/x", "format": form})
        assert_problem(answer, 422, code="unsupported", words="external")


# ------------------------------------------------------------------------------------------------------ what is not there


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("path", ["nowhere", "data/nowhere.hdf5", "nowhere/x.hdf5", f"data/{GOOD.name}/PartType0", "data/" + "n" * 300, "data/gr\u00fcn.hdf5"])
def test_a_missing_path(http, route, path):
    assert_problem(http.get(route + path, params={"object": "/x"} if route in ("/v1/data/", "/v1/object/") else None), 400, 404)


@pytest.mark.parametrize("route", ["/v1/info/", "/v1/object/", "/v1/data/"])
def test_a_folder_where_a_file_is_wanted(http, route):
    assert_problem(http.get(route + "data", params={"object": "/x"} if "info" not in route else None), 400, 404, words="folder")


def test_a_file_where_a_folder_is_wanted(http):
    assert_problem(http.get(f"/v1/list/data/{GOOD.name}"), 400, 404)


@pytest.mark.parametrize("route", ["/v1/object/", "/v1/data/"])
@pytest.mark.parametrize(
    "name", ["/nowhere", "/PartType0/Nowhere", "/PartType9/Coordinates", FIELD + "/x", "/PartType0/coordinates", "/PartType0/Coordinates\0", "/\ud83d\ude00", "/" + "x" * 5000, "/" + "a/" * 2000]
)
def test_a_missing_object(http, route, name):
    name = name.encode("utf-16", "surrogatepass").decode("utf-16")
    assert_problem(http.get(route + f"data/{GOOD.name}", params={"object": name}), 400, 404)


@pytest.mark.parametrize("route", ["/v1/object/", "/v1/data/"])
@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("/PartType0/Cordinates", '"Coordinates"'),
        ("/PartType0/coordinates", '"Coordinates"'),
        ("/PartType/Coordinates", '"PartType0"'),
        ("/Heade", '"Header"'),
        ("/PartType0/" + "Coordinates" * 100, None),
        ("/xyzzy", None),
    ],
)
def test_a_missing_object_is_told_the_nearest_names(http, route, name, nearest):
    answer = http.get(route + f"data/{GOOD.name}", params={"object": name})
    assert_problem(answer, 404, code="not_found", words="no such object")
    found = re.search(r"did you mean (.+)\?$", answer.json()["detail"])
    assert (found is not None) == (nearest is not None), answer.text
    assert nearest is None or found[1].startswith(nearest), answer.text


@pytest.mark.parametrize("route", ["/v1/object/", "/v1/data/"])
def test_a_link_that_leads_nowhere_is_not_told_its_own_name(http, scratch, route):
    with h5py.File(scratch / "dangling.h5", "w") as f:
        f["present"] = [1.0]
        f["presents"] = h5py.SoftLink("/absent")
    answer = http.get(route + "scratch/dangling.h5", params={"object": "/presents"})
    assert_problem(answer, 404, words="/absent: no such object")
    assert '"presents"' not in answer.json()["detail"]


def test_a_group_where_a_dataset_is_wanted(http):
    assert_problem(http.get(f"/v1/data/data/{GOOD.name}", params={"object": "/PartType0"}), 400, words=["group", "/PartType0"])


def test_no_object_named(http):
    assert_problem(http.get(f"/v1/data/data/{GOOD.name}"), 400, words="object")


def test_an_object_that_is_not_absolute(http):
    assert_problem(http.get(f"/v1/data/data/{GOOD.name}", params={"object": "PartType0/Coordinates"}), 400, 404)


def test_no_such_address(http):
    assert_problem(http.get("/v1/nothing"), 404)
    elsewhere = http.get("/nothing")
    assert (elsewhere.status_code, elsewhere.json()) == (404, {"detail": "Not Found"}), "clients of the older API look for this"


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH"])
def test_a_method_that_is_not_taken(http, method):
    assert_problem(http.request(method, f"/v1/data/data/{GOOD.name}"), 405)
    assert_problem(http.request(method, f"/v1/download/data/{GOOD.name}"), 405)


# ------------------------------------------------------------------------------------------------ rows, columns and forms


@pytest.mark.parametrize(
    "rows",
    ["10:5", "-1:5", "-5:-1", "0:5833", "5832:5833", "6000:6001", "0:18446744073709551616", "18446744073709551615:18446744073709551616",
     "0:99999999999999999999999999", "a:b", "5", "0:5,", ",0:5", "0:5;6:7", "0:5:2", ":", "0:", ":5x", "0 5", "0:1e3", "0:5.0", "+0:+5", "0x0:0x5",
     "\u0661:\u0662", "0:5\n6:7", "nan:inf", "[0,5]", "18446744073709551610:18446744073709551615"],
)  # fmt: skip
def test_bad_rows(http, rows):
    answer = http.get(f"/v1/data/data/{GOOD.name}", params={"object": FIELD, "rows": rows})
    assert_problem(answer, 400, words="row")


@pytest.mark.parametrize("rows", [[[5, 3]], [[-1, 3]], [[0, 2**64]], [[0, 1e30]], [[0, 1.5]], [[0]], [[0, 1, 2]], [0, 1], "x", {"a": 1}, 7, True, [["0", "5"]], [[None, 5]], [[0, 5833]]])
def test_bad_rows_in_a_body(http, rows):
    assert_problem(http.post(f"/v1/data/data/{GOOD.name}", json={"object": FIELD, "rows": rows}), 400, 422)


@pytest.mark.parametrize("columns", ["3", "0,3", "-1", "18446744073709551616", "a", "0:2", "0,", ",", "1.0", "0;1"])
def test_bad_columns(http, columns):
    assert_problem(http.get(f"/v1/data/data/{GOOD.name}", params={"object": FIELD, "columns": columns}), 400, words="column")


def test_columns_of_what_has_none(http):
    assert_problem(http.get(f"/v1/data/data/{GOOD.name}", params={"object": "/PartType0/Masses", "columns": "0"}), 400, words="column")


def test_rows_of_a_scalar(http, scratch):
    with h5py.File(scratch / "scalar.h5", "w") as f:
        f["x"] = 1.5
    assert_problem(http.get("/v1/data/scratch/scalar.h5", params={"object": "/x", "rows": "0:1"}), 400, words="row")


@pytest.mark.parametrize("form", ["xml", "", "NPY", "npy,json", "pickle", "../npy", "\0"])
def test_unknown_formats(http, form):
    assert_problem(http.get(f"/v1/data/data/{GOOD.name}", params={"object": FIELD, "format": form}), 400, words="format")


@pytest.mark.parametrize("route", ["/v1/list/data", f"/v1/info/data/{GOOD.name}", f"/v1/object/data/{GOOD.name}", f"/v1/data/data/{GOOD.name}", f"/v1/download/data/{GOOD.name}"])
def test_unknown_parameters(http, route):
    parameters = {"object": "/", "row": "0:5"} if "object" in route else {"row": "0:5"}
    if "/data/" in route.removeprefix("/v1/"):
        parameters["object"] = FIELD
    if "list" in route or "info" in route or "download" in route:
        parameters.pop("object", None)
    assert_problem(http.get(route, params=parameters), 400, words="row")


def test_a_parameter_given_twice(http):
    assert_problem(http.get(f"/v1/data/data/{GOOD.name}?object={FIELD}&rows=0:5&rows=7:9"), 400)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"object": 1}', b'{"object": "/x", "unknown": 1}', b'{"object": "' + b"x" * 100_000 + b'"}', b"[" * 100_000])
def test_bad_bodies(http, body):
    answer = http.post(f"/v1/data/data/{GOOD.name}", data=body, headers={"Content-Type": "application/json"})
    assert_problem(answer, 400, 404, 422)


def test_a_body_of_another_type(http):
    answer = http.post(f"/v1/data/data/{GOOD.name}", data=b"object=/x", headers={"Content-Type": "text/plain"})
    assert_problem(answer, 400, 415)


def test_a_query_of_10_mb(server):
    """Refused; the server may close the connection before all of it has come."""
    try:
        status, _ = raw_get(server, f"/v1/data/data/{GOOD.name}?object={FIELD}&rows=" + ",".join(["0:1"] * 2_500_000))
    except (ConnectionError, http.client.HTTPException):
        return
    assert status in (400, 413, 414, 431)


def test_a_body_over_the_limit(server, http):
    body = json.dumps({"object": FIELD, "rows": "0:1," * 20_000_000 + "0:1"}).encode()
    try:
        answer = http.post(f"/v1/data/data/{GOOD.name}", data=body, headers={"Content-Type": "application/json"})
    except Exception as error:
        assert "Connection" in repr(error), error
        return
    assert_problem(answer, 413)


@pytest.mark.parametrize("header", ["bytes=5-2", "bytes=a-b", "lines=0-5", "bytes=0-1,5-6", "bytes=-", "bytes=99999999999999999999-", "bytes=--5"])
def test_odd_byte_ranges(http, header):
    """A Range that is not understood is as good as none (RFC 9110); one that lies outside is 416."""
    answer = http.get("/v1/download/data/fof_catalogue.hdf5", headers={"Range": header})
    assert answer.status_code in (200, 206, 416)
    if answer.status_code == 200:
        assert answer.content == (TEST_DATA / "fof_catalogue.hdf5").read_bytes()


# -------------------------------------------------------------------------------------------------------- damaged files


def ask(http, name, **parameters):
    return [
        http.get(f"/v1/info/scratch/{name}"),
        http.get(f"/v1/object/scratch/{name}", params={"object": "/"}),
        http.get(f"/v1/data/scratch/{name}", params={"object": FIELD} | parameters),
    ]


@pytest.mark.parametrize(("name", "content"), [("text.hdf5", b"This is no HDF5 file.\n" * 100), ("empty.hdf5", b""), ("short.hdf5", b"\x89HDF\r\n\x1a\n"), ("signature.hdf5", b"\x89HDF\r\n\x1a\n" + bytes(200))])
def test_what_is_no_hdf5(http, scratch, name, content):
    (scratch / name).write_bytes(content)
    for answer in ask(http, name):
        assert_problem(answer, 422, words=name)
    assert http.get(f"/v1/download/scratch/{name}").content == content


@pytest.mark.parametrize("size_bytes", [100, 1000, 3000, 100_000, 1_000_000])
def test_a_truncated_file(http, scratch, size_bytes):
    name = f"truncated_{size_bytes}.hdf5"
    (scratch / name).write_bytes(GOOD.read_bytes()[:size_bytes])
    for answer in ask(http, name):
        assert_problem(answer, 422, words=name)


def test_flipped_bits_are_noticed_or_change_nothing(http, scratch):
    """Bits are flipped all over a file whose metadata and data both carry checksums."""
    path, good = scratch / "flipped.hdf5", GOOD.read_bytes()
    with h5py.File(GOOD) as f:
        expected = f[FIELD][()].tobytes()
    rng = np.random.default_rng(7)
    n_refused = 0
    for position in rng.integers(0, len(good), 150):
        flipped = bytearray(good)
        flipped[position] ^= 1 << int(rng.integers(8))
        path.write_bytes(flipped)
        try:
            answer = http.get("/v1/data/scratch/flipped.hdf5", params={"object": FIELD, "format": "raw"})
        except Exception as error:
            assert "IncompleteRead" in repr(error) or "Connection broken" in repr(error), error
            n_refused += 1
            continue
        if answer.status_code == 200:
            assert answer.content == expected, f"a flipped bit at {position} went through"
        else:
            assert_problem(answer, 404, 422)
            n_refused += 1
    assert 0 < n_refused < 150


def test_a_checksum_mismatch_breaks_the_body_and_the_log_says_which_chunk(server, http, scratch):
    """The damage is in the last chunk: the answer has begun by then, and must not look whole."""
    path = scratch / "mismatch.hdf5"
    with h5py.File(path, "w") as f:
        values = np.arange(3_000_000.0).reshape(-1, 3)
        f.create_dataset("x", data=values, chunks=(10_000, 3), fletcher32=True)
        last = f["x"].id.get_chunk_info(f["x"].id.get_num_chunks() - 1)
    with open(path, "r+b") as f:
        f.seek(last.byte_offset + 1000)
        f.write(b"\xff\x00\xff")
    answer = http.get("/v1/data/scratch/mismatch.hdf5", params={"object": "/x"}, stream=True)
    assert answer.status_code == 200
    with pytest.raises(Exception, match="IncompleteRead|Connection broken"):
        body = answer.raw.read()
        if len(body) < int(answer.headers["Content-Length"]):
            raise ConnectionError("IncompleteRead")
    # The rows before the damage are fine, those in it are refused outright.
    fine = http.get("/v1/data/scratch/mismatch.hdf5", params={"object": "/x", "rows": "0:100", "format": "raw"})
    assert fine.content == values[:100].tobytes()
    damaged = http.get("/v1/data/scratch/mismatch.hdf5", params={"object": "/x", "rows": "990000:990010"})
    assert_problem(damaged, 422, code="damaged", words=["fletcher32", "chunk", "990000"])
    assert "990000" in server.output, "the log does not say which chunk"


def test_a_file_that_may_not_be_read(http, scratch):
    path = scratch / "forbidden.hdf5"
    shutil.copy(TEST_DATA / "fof_catalogue.hdf5", path)
    path.chmod(0)
    if os.geteuid() == 0:
        # Root may read everything; there is nothing to be refused.
        assert http.get("/v1/info/scratch/forbidden.hdf5").status_code == 200
    else:
        assert http.get("/v1/info/scratch/forbidden.hdf5").status_code in (403, 404)
    path.unlink()
