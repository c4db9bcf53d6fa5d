"""/h5grove answers what h5grove 4 itself makes of the same files: its own functions, called here, give the expected values.

What h5grove has no answer to (JSON of big-endian arrays, which its encoder refuses) is compared with h5py.
"""

import contextlib
import ctypes
import http.client
import io
import json
import math
import re
import urllib.parse
import zlib

import h5py
import numpy as np
import pytest
import tifffile
from h5py import h5f, h5p
from h5grove import content as h5grove_content
from h5grove.encoders import encode
from h5grove.utils import NotFoundError, QueryArgumentError, parse_link_resolution_arg

from conftest import MAKE_H5_MATRIX, MATRIX_SEEDS, TEST_DATA, compared, swift_files
from hdf5_kinds import KINDS, library

# More of a dataset than this is compared as bytes, not as text.
MAX_TEXT_ELEMENTS = 300
# What is refused, by a word of the answer: filters and types that Apus does not read (docs/supported-hdf5.md), and files outside the mounts.
MAY_BE_REFUSED = ("not supported", "cannot be written in any format")


class Client:
    """Asks one server over one connection, for a `requests` session takes longer than most answers here."""

    def __init__(self, url):
        address = urllib.parse.urlsplit(url)
        self.connection = http.client.HTTPConnection(address.hostname, address.port, timeout=120)

    def get(self, address, headers=None, **parameters):
        """Status, headers, body."""
        self.connection.request("GET", f"/h5grove/{address}?{urllib.parse.urlencode(parameters, doseq=True)}", headers=headers or {})
        response = self.connection.getresponse()
        return response.status, response.headers, response.read()

    def json(self, address, **parameters):
        status, headers, body = self.get(address, **parameters)
        assert (status, headers["Content-Type"]) == (200, "application/json"), f"{address} {parameters}: {status} {body[:500]}"
        return json.loads(body)


library.H5Pset_relax_file_integrity_checks.argtypes = [ctypes.c_int64, ctypes.c_uint64]
NARROW_FLOATS_IN_OLD_HEADERS = 1


def opened(path):
    """The file as libhdf5 before 2.0 opened it, which did not refuse narrow floats in headers without checksum."""
    access = h5p.create(h5p.FILE_ACCESS)
    access.set_libver_bounds(h5f.LIBVER_EARLIEST, h5f.LIBVER_LATEST)
    assert library.H5Pset_relax_file_integrity_checks(access.id, NARROW_FLOATS_IN_OLD_HEADERS) >= 0
    return h5py.File(h5f.open(str(path).encode(), h5f.ACC_RDONLY, access))


@pytest.fixture(scope="module")
def client(server):
    return Client(server.url)


def of_h5grove(value):
    """What h5grove's servers answer, read again."""
    return json.loads(encode(value).content)


def everything_in(f, path="/"):
    """The paths of all that is below a group, each group's members once."""
    seen = set()

    def walk(path):
        yield path
        with contextlib.suppress(KeyError):
            group = f[path]
            if isinstance(group, h5py.Group) and group.id not in seen:
                seen.add(group.id)
                for name in group:
                    yield from walk(f"{path.rstrip('/')}/{name}")

    yield from walk(path)


def nearly(expected):
    """A number that is a rounding away."""
    return expected if expected is None else pytest.approx(expected, rel=1e-12)


def read(dataset, selection=None):
    """The array, little-endian and in a type that JSON has: what h5grove would encode if it could."""
    array = np.asarray(h5grove_content.get_dataset_slice(dataset, selection))
    return array.astype(array.dtype.newbyteorder("<"))


def assert_same_metadata(client, served, f, path):
    expected = of_h5grove(h5grove_content.create_content(f, path).metadata())
    assert client.json("meta/", file=served, path=path) == expected, f"{served}:{path}"
    if "attributes" in expected and expected["attributes"]:
        assert_same_attributes(client, served, f, path)


def assert_same_attributes(client, served, f, path):
    attributes = h5grove_content.create_content(f, path).attributes()
    # Arrays of the other byte order h5grove cannot encode.
    native = {name: value.astype(value.dtype.newbyteorder("=")) if getattr(value, "dtype", None) is not None and value.dtype.byteorder == ">"
              else value for name, value in attributes.items()}
    assert client.json("attr/", file=served, path=path) == of_h5grove(native), f"{served}:{path}"


def selections(shape):
    """Of every axis all, one index, some, and every other; no more in any than text is compared of."""
    if not shape:
        return [None]
    if 0 in shape:
        return [None, ":", "5:2"]
    rows = max(1, MAX_TEXT_ELEMENTS // 4 // max(1, math.prod(shape[1:])))
    inner = ",".join("::2" if i % 2 else "-1" for i in range(1, len(shape)))
    return [f"0:{rows}", "-1", f"-{min(rows, shape[0])}::2" + (f",{inner}" if inner else ""), ",".join("0" for _ in shape)]


def assert_same_values(client, served, f, path, every_selection=False):
    """Values in all forms, and statistics. Text is compared of one selection, another one for the next dataset, or of every selection."""
    dataset, where = f[path], f"{served}:{path}"
    content = h5grove_content.create_content(f, path)
    parameters = {"file": served, "path": path}
    numeric = dataset.dtype.kind in "biufc" and dataset.shape is not None
    if numeric:
        status, headers, body = client.get("data", **parameters, format="bin", dtype="safe")
        if status == 422 and any(word in body.decode() for word in MAY_BE_REFUSED):
            compared["by h5grove, refused by name"] += 1
            return
        assert (status, headers["Content-Type"]) == (200, "application/octet-stream"), f"{where}: {status} {body[:300]}"
        assert body == encode(content.data(None, False, "safe"), "bin").content, where
        assert int(headers["Content-Length"]) == len(body)
        assert_same_npy(client, parameters, content, where)
        if dataset.dtype.kind != "c":
            assert_same_statistics(client, parameters, dataset, content, where)
    all_selections = selections(dataset.shape)
    turn = zlib.crc32(path.encode())
    for selection in all_selections if every_selection else [all_selections[turn % len(all_selections)]]:
        assert_same_text(client, parameters, dataset, content, selection, where)
    compared["by h5grove"] += 1


def assert_same_npy(client, parameters, content, where):
    status, headers, body = client.get("data/", **parameters, format="npy")
    assert status == 200, f"{where}: {body[:300]}"
    assert body == encode(content.data(None), "npy").content, where
    assert headers["Content-Disposition"] == 'attachment; filename="data.npy"'


def assert_same_text(client, parameters, dataset, content, selection, where):
    asked = parameters | ({} if selection is None else {"selection": selection})
    for flatten in (False, True):
        if flatten and np.ndim(content.data(selection)) < 2:
            continue
        try:
            expected = of_h5grove(content.data(selection, flatten, None))
        except TypeError as error:
            assert "not native-endianness" in str(error), where
            array = read(dataset, selection)
            expected = of_h5grove(array.ravel() if flatten else array)
        answer = client.json("data", **asked, **({"flatten": "true"} if flatten else {}))
        if dataset.dtype == "c8" and np.ndim(content.data(selection)) == 0:
            # One number has more digits here, of the same value.
            expected, answer = str(np.array(expected, "f4")), str(np.array(answer, "f4"))
        assert answer == expected, f"{where}[{selection}]"
    shape = None if dataset.shape is None else np.shape(content.data(selection))
    if dataset.dtype.kind in "biufc" and shape and len(shape) <= 2 and 0 not in shape:
        expected = encode(content.data(selection), "csv").content
        status, headers, body = client.get("data", **asked, format="csv")
        assert (status, body) == (200, expected), f"{where}[{selection}] csv"
        assert headers["Content-Type"].startswith("text/csv")
    if dataset.dtype.kind in "iuf" and shape and len(shape) == 2 and 0 not in shape and dataset.dtype.itemsize <= 8:
        status, _, body = client.get("data", **asked, format="tiff")
        assert status == 200, f"{where}[{selection}] tiff: {body[:300]}"
        picture = tifffile.imread(io.BytesIO(body))
        array = read(dataset, selection)
        assert (picture.dtype, picture.shape) == (array.dtype, array.shape) and picture.tobytes() == array.tobytes(), where


def assert_same_statistics(client, parameters, dataset, content, where):
    answer = client.json("stats", **parameters)
    with np.errstate(all="ignore"):
        expected = of_h5grove(content.data_stats())
    if dataset.dtype.itemsize > 8:
        # Here in double precision.
        expected = {name: nearly(value) for name, value in expected.items()}
    assert answer == expected, where


def assert_same_file(client, served, path_on_disk):
    with opened(path_on_disk) as f:
        with h5grove_content.get_list_of_paths(opened(path_on_disk).id, "/", lambda *_: None) as paths:
            assert client.json("paths/", file=served) == of_h5grove(paths), served
        for path in everything_in(f):
            assert_same_metadata(client, served, f, path)
            if isinstance(f.get(path), h5py.Dataset):
                assert_same_values(client, served, f, path)


@swift_files
def test_every_object_of_a_file_is_what_h5grove_makes_of_it(client, mount, path):
    assert_same_file(client, f"{mount}/{path.name}", path)


@pytest.mark.parametrize("seed", MATRIX_SEEDS if MAKE_H5_MATRIX.exists() else ())
def test_every_object_of_the_matrix_is_what_h5grove_makes_of_it(client, matrix_folders, seed):
    folder = matrix_folders[f"matrix{seed}"]
    for path in sorted(folder.glob("*.h5")):
        assert_same_file(client, f"matrix{seed}/{path.name}", path)


# ------------------------------------------------------------------------------------------------------ kinds of HDF5

# What h5grove has no answer to, for h5py has no numpy type for it.
NO_ANSWER = {"time"}
# What is told otherwise: docs/h5grove.md.
OTHER_METADATA = {"complex"}


@pytest.mark.parametrize("kind", sorted(set(KINDS) - NO_ANSWER))
def test_every_kind_of_hdf5(client, scratch, kind):
    folder = scratch / "h5grove"
    folder.mkdir(exist_ok=True)
    path = folder / (re.sub(r"\W+", "_", kind.replace(">", "be_")) + ".h5")
    KINDS[kind](path)
    served = f"scratch/h5grove/{path.name}"
    with opened(path) as f:
        for name in everything_in(f):
            content = h5grove_content.create_content(f, name)
            if kind in OTHER_METADATA:
                continue
            expected, answer = of_h5grove(content.metadata()), client.json("meta", file=served, path=name)
            if kind == "group with creation order":
                # Members are in the order of their names.
                expected["children"] = sorted(expected.get("children", ()), key=lambda child: child["name"])
                answer["children"] = answer.get("children", [])
            assert answer == expected, f"{kind}: {name}"
            if expected.get("attributes"):
                assert_same_attributes(client, served, f, name)
            if isinstance(f.get(name), h5py.Dataset):
                status, _, body = client.get("data", file=served, path=name)
                if status == 422:
                    assert any(word in body.decode() for word in MAY_BE_REFUSED), body
                    continue
                assert_same_values(client, served, f, name)


@pytest.fixture(scope="module")
def many_types(scratch):
    """A file with a dataset and an attribute of each type that SWIFT does not write; its place, and its name under the mounts."""
    path = scratch / "h5grove_types.h5"
    record = np.dtype([("a", ">i4"), ("b", "<f4"), ("c", "S4"), ("d", "<f4", (2, 3))])
    records = np.zeros(3, record)
    records["a"], records["b"], records["c"], records["d"] = [1, -2, 3], [0.1, np.nan, np.inf], [b"x", b"", b"yyyy"], 0.1
    values = {
        "f4": np.array([[0.1, np.nan, -np.inf], [1e-30, -0.0, 3]], "f4"), "f2": np.array([0.1, np.nan, 65504, 6e-8], "f2"),
        "be_f2": np.array([0.1, np.inf], ">f2"), "f16": np.array([0.1, 1e30, np.nan], np.longdouble), "be_f4": np.array([0.1, 2], ">f4"),
        "u8": np.array([2**64 - 1, 0, 5], "u8"), "be_u2": np.array([[1, 2], [3, 65535]], ">u2"), "c8": np.array([0.1 + 1j, np.nan], "c8"),
        "c16": np.array([[0.1 - 1j], [2]]), "be_c16": np.array([0.5 + 1j], ">c16"), "bool": np.array([[True], [False]]), "records": records,
        "strings": np.array([b"a", b"bb", b""]), "opaque": np.array([b"ab", b"c\0"], "V2"), "empty": np.zeros((2, 0)), "none": np.zeros((0, 3), "f4"),
        "scalar": np.float64(0.1), "scalar_f4": np.float32(0.1), "scalar_f2": np.float16(0.1), "scalar_bool": np.bool_(True), "one": np.array([1.5]),
        "scalar_string": np.bytes_(b"fixed"), "nan": np.nan, "enum": np.array([1, 2], "i2"), "scalar_be": np.array(0.1, ">f4"), "big": np.uint64(2**63),
    }
    with h5py.File(path, "w") as f:
        for name, value in values.items():
            dtype = h5py.enum_dtype({"A": 1, "B": 2}, "i2") if name == "enum" else None
            f.create_dataset(name, data=value, dtype=dtype)
            f.attrs.create(name, value, dtype=dtype)
        f.create_dataset("null", data=h5py.Empty("f4"))
        f.attrs["null"], f.attrs["text"], f.attrs["texts"] = h5py.Empty("f4"), "gr\u00fcn", np.array(["a", "\u2603", ""], object)
        f["text"], f["texts"] = "gr\u00fcn", np.array([["a", "\u2603"], ["", "bb"]], object)
        references = f.create_dataset("references", (2,), dtype=h5py.ref_dtype)
        references[0] = f.ref
        regions = f.create_dataset("regions", (2,), dtype=h5py.regionref_dtype)
        regions[0] = f["u8"].regionref[1:2]
        f.create_dataset("sequences", (2,), dtype=h5py.vlen_dtype("f4"))[0] = np.array([0.1, np.nan], "f4")
        element = np.dtype(("<f4", (2, 2)))
        f.create_dataset("arrays", (3,), dtype=element)[:] = np.arange(12, dtype="f4").reshape(3, 2, 2)
        f.create_dataset("cube", data=np.arange(5 * 6 * 7, dtype="i4").reshape(5, 6, 7) - 50, chunks=(2, 3, 4), compression="gzip")
        f.attrs["reference"] = f.ref
        f["type"] = np.dtype(">i2")
        f["type"].attrs["of"] = "a type"
        g = f.create_group("g")
        g["itself"], g["root"], g["soft"], g["dangling"] = g, f["/"], h5py.SoftLink("/u8"), h5py.SoftLink("/nowhere")
        g["group"] = h5py.SoftLink("/g")
        f["external"], f["missing"] = h5py.ExternalLink("h5grove_other.h5", "/x"), h5py.ExternalLink("h5grove_missing.h5", "/x")
    with h5py.File(path.with_name("h5grove_other.h5"), "w") as f:
        f["x"] = np.arange(4)
    return path, f"scratch/{path.name}"


def test_every_type_and_link(client, many_types):
    path, served = many_types
    with h5py.File(path) as f:
        for base in (None, "/", "g", "/g", "/g/", "/g/group"):
            with h5grove_content.get_list_of_paths(path, base, lambda *_: None) as paths:
                assert client.json("paths", file=served, **({} if base is None else {"path": base})) == of_h5grove(paths)
        for name in [*everything_in(f), "u8", "/u8/", "/g//soft", "g/group/soft"]:
            assert_same_metadata(client, served, f, name)
            if isinstance(f.get(name), h5py.Dataset):
                assert_same_values(client, served, f, name, every_selection=True)


@pytest.mark.parametrize("links", ["all", "true", "none", "False", "only_valid"])
def test_links_are_followed_as_is_asked(client, many_types, links):
    path, served = many_types
    with h5py.File(path) as f:
        for name in ("/g/soft", "/g/dangling", "/external", "/missing", "/g/group/dangling", "/u8", "/"):
            status, _, body = client.get("meta", file=served, path=name, resolve_links=links)
            try:
                expected = of_h5grove(h5grove_content.create_content(f, name, parse_link_resolution_arg(links, None)).metadata())
                assert (status, json.loads(body)) == (200, expected), name
            except NotFoundError as error:
                assert (status, json.loads(body)) == (404, {"message": str(error)}), name


@pytest.mark.parametrize("name", ["opaque", "records", "strings", "scalar", "scalar_be", "scalar_string", "text", "arrays", "be_u2", "be_c16", "enum", "bool"])
def test_bytes_of_any_elements(client, many_types, name):
    path, served = many_types
    with h5py.File(path) as f:
        expected = encode(h5grove_content.create_content(f, name).data(None), "bin").content
    status, headers, body = client.get("data", file=served, path=name, format="bin")
    assert (status, body) == (200, expected)
    # Any range of it.
    for first, last in ((0, 0), (1, len(expected)), (len(expected) - 1, len(expected))):
        if len(expected) > 1:
            status, _, part = client.get("data", file=served, path=name, format="bin", headers={"Range": f"bytes={first}-{last}"})
            assert (status, part) == (206, expected[first : last + 1])


@pytest.mark.parametrize("name", ["f2", "f16", "be_f4", "arrays"])
def test_ranges_of_converted_values(client, many_types, name):
    path, served = many_types
    with h5py.File(path) as f:
        expected = encode(h5grove_content.create_content(f, name).data(None, False, "safe"), "npy").content
    parameters = {"file": served, "path": name, "format": "npy", "dtype": "safe"}
    assert client.get("data", **parameters)[2] == expected
    for first in range(0, len(expected), 7):
        assert client.get("data", **parameters, headers={"Range": f"bytes={first}-{first + 20}"})[2] == expected[first : first + 21]


@pytest.mark.parametrize("selection", ["0", "-1", "1:3", "::2", "1:5:3", ":,0", ":,::4", "0,0", "0,0,0", ":,:,::3", "1:4:2,-1,2:100:2", "4:2", ":,:,6:0", " 1 : 3 , +2",
                                       "0_1", "-100:100", "99:", ":,1:2,3"])
def test_selections(client, many_types, selection):
    path, served = many_types
    with h5py.File(path) as f:
        content = h5grove_content.create_content(f, "cube")
        for flatten in (False, True):
            data = content.data(selection, flatten)
            parameters = {"file": served, "path": "cube", "selection": selection, "flatten": str(flatten).lower()}
            assert client.json("data", **parameters) == of_h5grove(data)
            for form in ("bin", "npy"):
                assert client.get("data", **parameters, format=form)[2] == encode(data, form).content
        assert client.json("stats", file=served, path="cube", selection=selection) == of_h5grove(content.data_stats(selection))


# -------------------------------------------------------------------------------------------------------- statistics


@pytest.mark.parametrize("n", [1, 7, 8, 9, 127, 128, 129, 1000, 8191, 8192, 8193, 300_001])
@pytest.mark.parametrize("dtype", ["<f8", ">f8", "<f4", ">f4", "<f2", ">f2", "<i8", ">i4", "u8", "i1", "bool"])
def test_statistics_are_numpys_to_the_bit(client, scratch, dtype, n):
    rng = np.random.default_rng(n)
    values = rng.normal(3, 20, n)
    values = values > 0 if dtype == "bool" else (np.abs(values) if dtype == "u8" else values).astype(dtype)
    path = scratch / f"h5grove_statistics_{dtype.replace('<', 'le').replace('>', 'be')}_{n}.h5"
    with h5py.File(path, "w") as f:
        f.create_dataset("x", data=values, chunks=(min(n, 5000),), compression="gzip")
        if values.dtype.kind == "f":
            values[rng.random(n) < 0.3] = np.nan
            values[rng.random(n) < 0.1] = np.inf
        f["holes"] = values
        f["plane"] = np.resize(values, (n // 7 + 1, 7))
    with h5py.File(path) as f, np.errstate(all="ignore"):
        for name in f:
            expected = of_h5grove(h5grove_content.create_content(f, name).data_stats())
            assert client.json("stats", file=f"scratch/{path.name}", path=name) == expected, name


# ------------------------------------------------------------------------------------------------------------ errors

GOOD = {"file": "data/cosmo_box_lossy_nogzip.hdf5", "path": "/PartType0/Coordinates"}
BAD = [
    ("meta", {"file": None}, 400, "say which file"),
    ("meta", {"file": "data/never.hdf5"}, 404, "File not found!"),
    ("meta", {"file": "nowhere/never.hdf5"}, 404, "File not found!"),
    ("meta", {"file": "data"}, 404, "File not found!"),
    ("meta", {"file": "data/.hidden"}, 404, "File not found!"),
    ("meta", {"file": "data/../../etc/passwd"}, 400, "'..'"),
    ("meta", {"file": "data/MANIFEST.md"}, 422, "not an HDF5 file"),
    ("meta", {"path": "/nowhere"}, 404, "/nowhere is not a valid path in cosmo_box_lossy_nogzip.hdf5"),
    ("meta", {"path": "/PartType0/Coordinates/x"}, 404, "/PartType0/Coordinates/x is not a valid path in cosmo_box_lossy_nogzip.hdf5"),
    ("meta", {"path": ""}, 404, " is not a valid path in cosmo_box_lossy_nogzip.hdf5"),
    ("meta", {"path": "x" * 20_000}, 400, "path has 20000 bytes"),
    ("meta", {"resolve_links": "maybe"}, 422, "maybe is not a valid value for link resolution. Accepted values are: all, none or only_valid"),
    ("meta", {"selektion": "0"}, 400, 'did you mean "selection"'),
    ("meta", {"path": ["/", "/Header"]}, 400, '"path" is given twice'),
    ("attr", {"attr_keys": "never"}, 404, '"never" (attr_keys)'),
    ("attr", {"path": "/nowhere"}, 404, "not a valid path"),
    ("paths", {}, 400, "is not a group (path)"),
    ("data", {"path": "/Header"}, 400, "/Header is not a dataset (path)"),
    ("data", {"path": None}, 400, "/ is not a dataset (path)"),
    ("data", {"format": "xml"}, 422, "Unsupported encoding xml"),
    ("data", {"dtype": "f8"}, 422, "Unsupported dtype f8"),
    ("data", {"selection": ""}, 400, "selection:"),
    ("data", {"selection": "x"}, 400, "selection:"),
    ("data", {"selection": "::-1"}, 400, "selection: Step must be >= 1 (got -1)"),
    ("data", {"selection": "::0"}, 400, "selection: Step must be >= 1 (got 0)"),
    ("data", {"selection": "1:2:3:4"}, 400, "selection: 1:2:3:4 is not a valid slice"),
    ("data", {"selection": "0,0,0"}, 400, "selection: 0,0,0 has too many members to slice a 2D dataset"),
    ("data", {"selection": "0,3"}, 400, "selection: Index (3) out of range for (0-2) (axis 1)"),
    ("data", {"selection": "999999999999999999999999999999999999999999999"}, 400, "out of range"),
    ("data", {"selection": "0,0", "format": "csv"}, 422, "Unsupported encoding csv for empty and scalar datasets"),
    ("data", {"selection": "0", "format": "tiff"}, 422, "Unsupported encoding tiff for 1 dimensions"),
    ("stats", {"path": "/Units"}, 400, "/Units is not a dataset (path)"),
    ("stats", {"selection": "9999999"}, 400, "out of range"),
]


@pytest.mark.parametrize(("address", "changes", "status", "words"), BAD)
def test_bad_requests(client, server, address, changes, status, words):
    parameters = {name: value for name, value in (GOOD | changes).items() if value is not None}
    found, headers, body = client.get(address, **parameters)
    message = json.loads(body)["message"]
    assert (found, headers["Content-Type"]) == (status, "application/json") and words in message, f"{found} {message}"
    assert str(TEST_DATA) not in message
    assert "panicked" not in server.output


@pytest.mark.parametrize(("path", "parameters"), [
    ("text", {"format": "npy"}), ("texts", {"format": "csv"}), ("null", {"format": "npy"}), ("records", {"format": "npy"}), ("texts", {"dtype": "safe"}),
    ("null", {"dtype": "safe"}), ("scalar", {"format": "csv"}), ("scalar", {"format": "tiff"}), ("opaque", {"format": "tiff"}), ("strings", {"dtype": "safe"}),
])
def test_what_h5grove_refuses_is_refused_in_its_words(client, many_types, path, parameters):
    with h5py.File(many_types[0]) as f, pytest.raises(QueryArgumentError) as refused:
        encode(h5grove_content.create_content(f, path).data(None, False, parameters.get("dtype")), parameters.get("format"))
    status, _, body = client.get("data", file=many_types[1], path=path, **parameters)
    assert (status, json.loads(body)) == (422, {"message": str(refused.value)})


@pytest.mark.parametrize(("path", "status"), [("text", 400), ("c16", 400), ("records", 400), ("g/dangling", 404), ("type", 400)])
def test_statistics_of_what_has_none(client, many_types, path, status):
    found, _, body = client.get("stats", file=many_types[1], path=path)
    assert found == status and json.loads(body)["message"], body


def test_statistics_of_nothing(client, many_types):
    for path in ("null", "none", "empty", "nan"):
        assert set(client.json("stats", file=many_types[1], path=path).values()) == {None}, path


def test_a_link_to_itself_leads_nowhere(client, scratch):
    with h5py.File(scratch / "h5grove_circle.h5", "w") as f:
        f["circle"] = h5py.SoftLink("/circle")
    link = {"kind": "soft_link", "name": "circle", "target_path": "/circle"}
    asked = {"file": "scratch/h5grove_circle.h5"}
    assert client.json("meta", **asked)["children"] == [link]
    assert client.json("meta", **asked, path="/circle") == link
    assert client.json("paths", **asked) == ["/", "/circle"]
    for address in ("meta", "paths"):
        status, _, body = client.get(address, **asked, path="/circle" if address == "meta" else "/", resolve_links="all")
        assert status == 404 and "Cannot resolve" in json.loads(body)["message"], body


@pytest.mark.parametrize("path", ["texts", "references", "sequences", "null"])
def test_bytes_of_what_has_none(client, many_types, path):
    status, _, body = client.get("data", file=many_types[1], path=path, format="bin")
    assert status == 422 and json.loads(body)["message"].startswith("Unsupported encoding bin"), body


def test_every_address_with_and_without_a_slash(client, http):
    for address in ("meta", "attr", "data", "stats", "paths"):
        parameters = GOOD | ({"path": "/PartType0"} if address == "paths" else {"selection": "0:3"})
        assert client.get(address, **parameters)[::2] == client.get(f"{address}/", **parameters)[::2]
        assert client.get(address, **parameters)[0] == 200
    for address in ("/h5grove", "/h5grove/"):
        assert http.get(address).text == "ok"
    assert http.head("/h5grove/").status_code == 200
    nowhere = http.get("/h5grove/nowhere")
    assert nowhere.status_code == 404 and "no such address" in nowhere.json()["message"]


# ------------------------------------------------------------------------------------------------------------- h5web


def test_the_requests_of_h5web(http):
    """What `H5GroveApi` of @h5web/app 17 sends, in its order, for a look at a file and the export of a slice."""
    file = GOOD["file"]

    def get(address, **parameters):
        response = http.get(f"/h5grove/{address}", params={"file": file, **parameters})
        assert response.status_code == 200, response.text
        return response

    with h5py.File(TEST_DATA / file.removeprefix("data/")) as f:
        root = get("meta", path="/").json()
        assert {child["name"] for child in root["children"]} == set(f)
        assert get("attr", path="/Header").json()["BoxSize"] == list(f["Header"].attrs["BoxSize"])
        assert "/PartType0/Masses" in get("paths", path="/").json()
        entity = get("meta", path="/PartType0/Coordinates").json()
        assert (entity["type"]["class"], entity["type"]["size"], entity["type"]["order"]) == (1, 8, 0)
        values = get("data", path="/PartType0/Coordinates", format="bin", dtype="safe", selection="0:100,:")
        assert np.array_equal(np.frombuffer(values.content, "<f8").reshape(100, 3), f["PartType0/Coordinates"][:100])
        ids = get("data", path="/PartType0/ParticleIDs", format="bin", dtype="safe")
        assert np.array_equal(np.frombuffer(ids.content, f["PartType0/ParticleIDs"].dtype), f["PartType0/ParticleIDs"])
        texts = get("data", path="/Cells/Meta-data" if "Cells/Meta-data" in f and isinstance(f["Cells/Meta-data"], h5py.Dataset) else "/PartType0/Masses", flatten="true")
        assert isinstance(texts.json(), list)
        npy = get("data", path="/PartType0/Coordinates", format="npy", selection="0:10,:")
        assert np.array_equal(np.load(io.BytesIO(npy.content)), f["PartType0/Coordinates"][:10])
        tiff = get("data", path="/PartType0/Coordinates", format="tiff", selection="0:10,:")
        assert np.array_equal(tifffile.imread(io.BytesIO(tiff.content)), f["PartType0/Coordinates"][:10])


def test_a_known_answer_is_not_sent_again(client):
    for address in ("meta", "attr", "data", "stats"):
        tag = client.get(address, **GOOD)[1]["ETag"]
        assert client.get(address, **GOOD, headers={"If-None-Match": tag})[::2] == (304, b"")
        if address != "attr":
            assert client.get(address, **GOOD | {"path": "/PartType0/Masses"})[1]["ETag"] != tag
