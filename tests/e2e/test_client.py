"""The Python package apus (clients/python), installed as users install it: compared with h5py and swiftsimio on the same files."""

import graphlib
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tracemalloc

import apus
import apus.progress
import apus.transport
import h5py
import numpy as np
import pytest
import swiftsimio
import unyt
from astropy import units

from accounts import add_user, create_token
from apus_server import Server
from conftest import PACKS, REPOSITORY, SWIFT_FILES, TEST_DATA, compared, is_read_by_swiftsimio, swift_files, swift_files_where
from faulty_proxy import FaultyProxy

GAS = TEST_DATA / "cosmo_box_lossy_nogzip.hdf5"
SMALL = TEST_DATA / "fof_catalogue.hdf5"


@pytest.fixture(scope="module")
def connection(server):
    with apus.connect(server.url) as connection:
        yield connection


@pytest.fixture
def gas(connection):
    return connection.open(f"data/{GAS.name}").gas


@pytest.fixture(scope="module")
def positions():
    with h5py.File(GAS) as f:
        return f["PartType0/Coordinates"][()]


@pytest.fixture
def proxy(server):
    with FaultyProxy(server.url) as proxy:
        yield proxy


@pytest.fixture
def no_sleep(monkeypatch):
    """Waits take no time, and are remembered."""
    slept = []
    monkeypatch.setattr(apus.transport.time, "sleep", slept.append)
    return slept


def same(left, right):
    return (left.dtype, left.shape, left.tobytes()) == (right.dtype, right.shape, right.tobytes())


def test_it_is_the_installed_package_that_is_tested():
    assert REPOSITORY / "clients" not in pathlib.Path(apus.__file__).parents
    installed, here = pathlib.Path(apus.__file__).parent, REPOSITORY / "clients/python/src/apus"
    assert {p.name: p.read_bytes() for p in installed.iterdir() if p.is_file()} == {p.name: p.read_bytes() for p in here.iterdir() if p.is_file()}
    assert (installed / "py.typed").exists()


def test_no_module_imports_what_imports_it():
    """Also not for annotations alone: the modules of the package are in one order."""
    folder = REPOSITORY / "clients/python/src/apus"
    imports = {path.stem: set(re.findall(r"^ *from \.(\w+) import", path.read_text(), re.MULTILINE)) for path in folder.glob("*.py")}
    for path in folder.glob("*.py"):
        for names in re.findall(r"^ *from \. import (.+)$", path.read_text(), re.MULTILINE):
            imports[path.stem] |= set(names.split(", "))
    assert imports["file"] >= {"group", "metadata", "selectable"}
    assert list(graphlib.TopologicalSorter(imports).static_order())[-1] == "__init__"


# ------------------------------------------------------------------------------------------------------------ what there is


@pytest.mark.parametrize("mount", PACKS)
def test_a_listing_has_every_file(connection, mount):
    listed = {entry.name: entry for entry in connection.list(mount)}
    assert set(listed) == {path.name for path in PACKS[mount].iterdir() if path.is_file()}
    for name, entry in listed.items():
        stat = (PACKS[mount] / name).stat()
        assert (entry.kind, entry.is_folder, entry.size_bytes, entry.modified_s) == ("file", False, stat.st_size, int(stat.st_mtime))
    assert {entry.name for entry in connection.list() if entry.is_folder} >= set(PACKS)


@swift_files_where(is_read_by_swiftsimio)
def test_groups_and_fields_have_swiftsimios_names(connection, mount, path):
    file = connection.open(f"{mount}/{path.name}")
    metadata = swiftsimio.load(str(path)).metadata
    names = metadata.present_group_names
    assert names
    for name in names:
        properties = getattr(metadata, f"{name}_properties")
        group = getattr(file, name)
        assert group is file[name] is file.groups[name]
        theirs = dict(zip(properties.field_names, properties.field_paths, strict=True))
        assert {field: group[field].path for field in theirs} == {field: "/" + path.lstrip("/") for field, path in theirs.items()}
    assert set(names) <= set(dir(file))


def test_names_that_there_are_not(connection, gas):
    file = gas.file
    with pytest.raises(AttributeError, match="no group 'gass'; did you mean 'gas'"):
        file.gass
    with pytest.raises(apus.NotFound, match="no field 'coordinate'; did you mean 'coordinates'"):
        gas["coordinate"]
    assert not hasattr(file, "stars_of_the_sea")
    assert "coordinates" in gas
    assert "coordinate" not in gas
    assert gas["Coordinates"] is gas["coordinates"] is gas["/PartType0/Coordinates"]


def test_an_object_as_it_stands_in_the_file(gas):
    described = gas.file.object("/PartType0/Coordinates")
    with h5py.File(GAS) as f:
        assert described["attributes"]["Description"]["value"] == f["PartType0/Coordinates"].attrs["Description"].decode()
        assert tuple(described["shape"]) == f["PartType0/Coordinates"].shape


# ------------------------------------------------------------------------------------------------------------------- values


@swift_files
def test_every_dataset_has_its_digest(connection, mount, path):
    digests = json.loads((PACKS[mount] / "DIGESTS.json").read_text())[path.name]
    assert digests
    for name, (shape, dtype, digest) in digests.items():
        array = connection.data(f"{mount}/{path.name}", f"/{name}")
        assert type(array) is np.ndarray
        assert (list(array.shape), array.dtype.str) == (shape, dtype), name
        assert hashlib.sha256(array.tobytes()).hexdigest()[:32] == digest, name
        compared["through the package apus (DIGESTS.json)"] += 1


@swift_files_where(is_read_by_swiftsimio)
def test_fields_are_what_swiftsimio_loads(connection, mount, path):
    """Values to the bit, unit, frame, scale factor and its exponent, whether it can be converted, the lossy filter."""
    data = swiftsimio.load(str(path))
    file = connection.open(f"{mount}/{path.name}")
    for name in data.metadata.present_group_names:
        theirs, group = getattr(data, name), file[name]
        for field in theirs.group_metadata.field_names:
            expected = getattr(theirs, field)
            if not isinstance(expected, swiftsimio.cosmo_array):
                continue  # named columns: an object with an array for each
            got = group[field][:]
            where = f"{path.name}: {name}.{field}"
            if got.dtype.kind in "iufb":
                assert type(got) is type(expected), where
                # Files say their units in cgs; swiftsimio and Apus choose names for them that differ in the sixth digit.
                assert got.units.dimensions == expected.units.dimensions, where
                assert np.isclose(float(got.units.base_value), float(expected.units.base_value), rtol=1e-5, atol=0), where
                assert (got.comoving, got.valid_transform, got.compression) == (expected.comoving, expected.valid_transform, expected.compression), where
                assert got.cosmo_factor == expected.cosmo_factor, where
            assert same(np.asarray(got), np.asarray(expected)), where
            compared["fields through the package apus, with swiftsimio.load"] += 1


def test_rows_and_columns(gas, positions):
    field = gas["coordinates"]
    n = len(positions)
    assert len(field) == n
    for key in (slice(None), slice(5, 100), slice(-10, None), slice(100, 5), slice(None, -1), slice(n - 3, n + 100), slice(0, 0)):
        assert same(np.asarray(field[key]), positions[key]), key
        assert same(np.asarray(field[key, 1]), positions[key, 1]), key
    ranges = [(100, 200), (5, 5), (0, 30), (150, 160)]
    expected = np.concatenate([positions[a:b] for a, b in ranges])
    for rows in (ranges, [slice(a, b) for a, b in ranges], np.array(ranges), [range(a, b) for a, b in ranges]):
        assert same(np.asarray(field.read(rows)), expected)
        assert same(gas.file.data("/PartType0/Coordinates", rows, [2, 0]), expected[:, [2, 0]])
    assert same(np.asarray(field.read((7, 9), columns=[1])), positions[7:9, [1]])
    assert same(gas.file.data("/PartType0/Coordinates", []), positions[:0])
    # Two pairs of numbers are two ranges, a pair is one.
    assert same(gas.file.data("/PartType0/Coordinates", [(0, 1), (2, 3)]), positions[[0, 2]])
    assert same(gas.file.data("/PartType0/Coordinates", slice(-3, None)), positions[-3:])


def test_many_ranges(gas, positions):
    assert len(positions) > 5000
    ranges = [(i, i + 3) for i in range(0, len(positions) - 3, 7)]
    assert same(gas.file.data("/PartType0/Coordinates", ranges), np.concatenate([positions[a:b] for a, b in ranges]))


def test_rows_that_are_none(gas):
    for rows, error in ((slice(0, 10, 2), ValueError), ("0:5", TypeError), ([1, 2, 3], TypeError), (3.5, TypeError), ([(0, 1.5)], TypeError)):
        with pytest.raises(error):
            gas.file.data("/PartType0/Coordinates", rows)


def test_named_columns(connection):
    with_names = [
        (f"{mount}/{path.name}", field) for mount, path in SWIFT_FILES
        for group in connection.open(f"{mount}/{path.name}").groups.values() for field in group.values() if field.columns
    ]  # fmt: skip
    assert with_names
    for path, field in with_names:
        whole = field.read(arrays="numpy")
        for i, name in enumerate(field.columns):
            assert same(field.read(columns=name, arrays="numpy"), whole[:, i])
        with pytest.raises(apus.NotFound, match="no column 'unobtainium'"):
            field.read(columns="unobtainium")


def test_arrays_of_every_kind(server, gas):
    field = gas["velocities"]
    stored = field.read(arrays="numpy")
    assert type(stored) is np.ndarray
    expected = swiftsimio.load(str(GAS)).gas.velocities
    for array, kind in ((field[:], swiftsimio.cosmo_array), (field.read(arrays="unyt"), unyt.unyt_array), (field.read(arrays="astropy"), units.Quantity)):
        assert type(array) is kind
        assert array.dtype == stored.dtype
    for kind in ("unyt", "astropy"):
        assert np.allclose(field.read(arrays=kind).to_value("km/s"), expected.to_value("km/s"), rtol=1e-5, atol=0)
    ids = gas["particle_ids"].read(arrays="astropy")
    assert ids.dtype.kind in "iu"
    assert type(apus.connect(server.url, arrays="numpy").open(f"data/{GAS.name}").gas["masses"][:5]) is np.ndarray
    with pytest.raises(ValueError, match="there are auto, swiftsimio"):
        apus.connect(server.url, arrays="pint")


def test_what_is_there_without_the_optional_packages(server, tmp_path):
    """numpy and requests are enough."""
    for name in ("swiftsimio", "unyt", "astropy", "tqdm", "hdfstream", "pandas", "pyarrow"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('not here')")
    script = f"""
import importlib.util, sys
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *a: None if name in {{"swiftsimio", "unyt", "astropy"}} else find(name, *a)
import apus
file = apus.connect({server.url!r}).open("data/{GAS.name}")
array = file.gas["coordinates"][:7]
print(type(array).__module__, array.shape)
for needs in (file.hdfstream, file.swiftsimio):
    try: needs()
    except ImportError as error: print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], env=os.environ | {"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "numpy (7, 3)"
    assert "pip install hdfstream" in lines[1]
    assert "pip install swiftsimio" in lines[2]


def test_values_come_into_one_array(connection, scratch):
    """The most memory that is taken is the array and a few blocks."""
    values = np.random.default_rng(5).integers(0, 2**63, 4 << 20, "u8")
    with h5py.File(scratch / "large.h5", "w") as f:
        f["values"] = values
    tracemalloc.start()
    try:
        array = connection.data("scratch/large.h5", "/values")
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert same(array, values)
    assert values.nbytes <= peak_bytes < values.nbytes + (8 << 20)


def test_unusual_types(connection, scratch):
    record = np.dtype([("a", "<f4"), ("größe", "<i8", (2,)), ("text", "S5")])
    arrays = {
        "scalar": np.float64(7.5), "empty": np.zeros((0, 3)), "record": np.zeros(5, record), "text": np.array([b"one", b"two"]),
        "three": np.arange(24.0).reshape(2, 3, 4), "bool": np.array([True, False]), "big": np.arange(5, dtype=">i4"), "half": np.ones(3, "f2"),
    }  # fmt: skip
    with h5py.File(scratch / "unusual.h5", "w") as f:
        for name, array in arrays.items():
            f[name] = array
    file = connection.open("scratch/unusual.h5")
    assert (file.kind, file.groups) == ("not_swift", {})
    for name, array in arrays.items():
        got = file.data(f"/{name}")
        assert np.array_equal(got, array), name
        assert got.shape == np.shape(array), name


def test_swiftsimio_takes_the_handle(connection, gas):
    file = gas.file
    region = [[0.1 * size, 0.4 * size] for size in swiftsimio.load(str(GAS)).metadata.boxsize]
    results = []
    for handle in (str(GAS), file.hdfstream()):
        mask = swiftsimio.mask(handle)
        mask.constrain_spatial(region)
        data = swiftsimio.load(handle, mask=mask) if isinstance(handle, str) else file.swiftsimio(mask)
        results.append(data.gas.coordinates)
    assert 0 < len(results[0]) < len(gas["coordinates"])
    assert same(np.asarray(results[1]), np.asarray(results[0]))
    assert np.array_equal(file.swiftsimio().gas.masses, gas["masses"][:])


def test_a_file_is_itself_the_handle(connection):
    """swiftsimio takes what `open` gives; paths in it are objects as h5py has them."""
    file = connection.open(f"data/{GAS.name}")
    mask = swiftsimio.mask(file)
    mask.constrain_spatial([[0.1 * size, 0.4 * size] for size in mask.metadata.boxsize])
    local = swiftsimio.mask(str(GAS))
    local.constrain_spatial([[0.1 * size, 0.4 * size] for size in local.metadata.boxsize])
    got, expected = swiftsimio.load(file, mask=mask), swiftsimio.load(str(GAS), mask=local)
    assert 0 < len(expected.gas.coordinates)
    assert same(np.asarray(got.gas.coordinates), np.asarray(expected.gas.coordinates))
    with h5py.File(GAS) as f:
        assert set(file.keys()) == set(f)
        assert np.array_equal(file["PartType0/Masses"][3:9], f["PartType0/Masses"][3:9])
        assert file["Header"].attrs["NumPart_Total"].tolist() == f["Header"].attrs["NumPart_Total"].tolist()
        found = []
        file.visititems(lambda name, _: found.append(name))
        assert "PartType0/Masses" in found
    assert "PartType0" in file
    assert "gas" in file
    assert "PartType7" not in file


# ---------------------------------------------------------------------------------------------------------------- downloads


@swift_files
def test_a_download_is_the_file(connection, mount, path, tmp_path):
    got = connection.open(f"{mount}/{path.name}").download(tmp_path)
    assert got == tmp_path / path.name
    assert got.read_bytes() == path.read_bytes()
    assert os.listdir(tmp_path) == [path.name]


def test_where_a_download_goes(connection, tmp_path, monkeypatch):
    path = f"data/{SMALL.name}"
    assert connection.download(path, tmp_path / "other.h5") == tmp_path / "other.h5"
    with pytest.raises(FileExistsError, match="overwrite=True"):
        connection.download(path, tmp_path / "other.h5")
    (tmp_path / "other.h5").write_bytes(b"old")
    connection.download(path, str(tmp_path / "other.h5"), overwrite=True)
    assert (tmp_path / "other.h5").read_bytes() == SMALL.read_bytes()
    monkeypatch.chdir(tmp_path)
    assert connection.download(path).resolve() == tmp_path / SMALL.name
    assert sorted(os.listdir()) == [SMALL.name, "other.h5"]


def test_a_folder_comes_as_a_tar(connection, scratch, tmp_path):
    (scratch / "simulation").mkdir()
    shutil.copy(SMALL, scratch / "simulation" / "fof.hdf5")
    assert connection.download("scratch/simulation", tmp_path) == tmp_path / "simulation.tar"
    shutil.unpack_archive(tmp_path / "simulation.tar", tmp_path / "out", filter="data")
    assert (tmp_path / "out/simulation/fof.hdf5").read_bytes() == SMALL.read_bytes()


def test_a_download_goes_on_by_itself(proxy, no_sleep, tmp_path):
    size = SMALL.stat().st_size
    proxy.cuts = [1000, 5000, 0]
    apus.connect(proxy.url).download(f"data/{SMALL.name}", tmp_path)
    assert (tmp_path / SMALL.name).read_bytes() == SMALL.read_bytes()
    ranges = [headers.get("Range") for _, _, headers in proxy.requests]
    assert ranges == [None, "bytes=1000-", "bytes=6000-", "bytes=6000-"]
    assert size > 6000
    assert all("If-Range" in headers for _, _, headers in proxy.requests[1:])


def test_a_transfer_that_makes_progress_is_resumed_without_an_end(proxy, no_sleep, positions, tmp_path):
    """More often than a transfer is tried in vain, as long as some bytes come in between."""
    n_tries = apus.transport.RETRIES
    vain = [0] * (n_tries - 1)
    proxy.cuts = [10] + [1, *vain] * 20
    apus.connect(proxy.url).download(f"data/{SMALL.name}", tmp_path)
    assert (tmp_path / SMALL.name).read_bytes() == SMALL.read_bytes()
    assert len(proxy.requests) == 1 + 20 * n_tries + 1
    proxy.cuts = [200, *vain] * 10
    assert same(apus.connect(proxy.url).data(f"data/{GAS.name}", "/PartType0/Coordinates"), positions)


def test_a_server_that_is_gone_for_a_while(proxy, no_sleep, tmp_path):
    """A server that starts again answers nothing, or that it is busy, in between."""
    proxy.cuts = [1000]
    proxy.between = lambda: proxy.busy.extend([(503, 0)] * 7 + [(500, 0)])
    apus.connect(proxy.url).download(f"data/{SMALL.name}", tmp_path)
    assert (tmp_path / SMALL.name).read_bytes() == SMALL.read_bytes()
    assert not proxy.busy


def test_a_download_goes_on_when_it_is_asked_for_again(proxy, no_sleep, tmp_path):
    path = f"data/{SMALL.name}"
    proxy.cuts = [1000] + [0] * 4
    with pytest.raises(apus.Broken, match=r"after 1000 of .*; 4 attempts in a row brought nothing more; the first 1000 bytes are in .*\.part: repeat to go on"):
        apus.connect(proxy.url).download(path, tmp_path)
    assert (tmp_path / f"{SMALL.name}.part").read_bytes() == SMALL.read_bytes()[:1000]
    proxy.requests.clear()
    apus.connect(proxy.url).download(path, tmp_path)
    assert [headers["Range"] for _, _, headers in proxy.requests] == ["bytes=1000-"]
    assert (tmp_path / SMALL.name).read_bytes() == SMALL.read_bytes()
    assert os.listdir(tmp_path) == [SMALL.name]


def test_a_part_that_is_whole_already(server, proxy, tmp_path, http):
    (tmp_path / f"{SMALL.name}.part").write_bytes(SMALL.read_bytes())
    (tmp_path / f"{SMALL.name}.part.etag").write_text(http.head(f"/v1/download/data/{SMALL.name}").headers["ETag"])
    apus.connect(proxy.url).download(f"data/{SMALL.name}", tmp_path)
    assert (tmp_path / SMALL.name).read_bytes() == SMALL.read_bytes()
    assert os.listdir(tmp_path) == [SMALL.name]


def test_a_file_that_changed_is_no_mixture(proxy, no_sleep, scratch, tmp_path):
    served = scratch / "changing.bin"
    served.write_bytes(b"a" * 50_000)
    proxy.cuts = [10_000]
    proxy.between = lambda: (served.write_bytes(b"b" * 50_001), os.utime(served, ns=(0, 1)))
    connection = apus.connect(proxy.url)
    with pytest.raises(apus.Broken, match="was changed"):
        connection.download("scratch/changing.bin", tmp_path)
    connection.download("scratch/changing.bin", tmp_path)
    assert (tmp_path / "changing.bin").read_bytes() == b"b" * 50_001


def test_arrays_go_on_too(proxy, no_sleep, positions):
    proxy.cuts = [100, 3_000, 100_000]
    ranges = [(i, i + 50) for i in range(0, len(positions) - 50, 60)]
    connection = apus.connect(proxy.url)
    assert same(connection.data(f"data/{GAS.name}", "/PartType0/Coordinates"), positions)
    assert [headers.get("Range") for _, _, headers in proxy.requests] == [None, "bytes=100-", "bytes=3100-", "bytes=103100-"]
    proxy.cuts = [100, 3_000]
    got = connection.data(f"data/{GAS.name}", "/PartType0/Coordinates", ranges)
    assert same(got, np.concatenate([positions[a:b] for a, b in ranges]))
    assert [method for method, _, _ in proxy.requests[4:]] == ["POST"] * 3


@pytest.mark.parametrize("cut", [0, 5, 50, 127, 128, 10_000])
def test_an_answer_that_ends_early_is_broken(proxy, cut):
    """Where the server does not let it go on, a part is never taken for the whole."""
    proxy.hidden = {"accept-ranges"}
    proxy.cuts = [cut]
    with pytest.raises(apus.Broken, match="ended early"):
        apus.connect(proxy.url).data(f"data/{GAS.name}", "/PartType0/Coordinates")
    assert len(proxy.requests) == 1


@pytest.mark.parametrize("cut", [0, 100])
def test_json_that_ends_early_is_broken(proxy, cut):
    proxy.cuts = [cut]
    with pytest.raises(apus.Broken):
        apus.connect(proxy.url).open(f"data/{GAS.name}")


# ------------------------------------------------------------------------------------------------------- what can go wrong


def test_errors_have_the_servers_words(connection, scratch):
    (scratch / "text.hdf5").write_text("no HDF5")
    with pytest.raises(apus.NotFound, match="no such file") as caught:
        connection.open("data/nothing.hdf5")
    assert (caught.value.status, caught.value.code) == (404, "not_found")
    with pytest.raises(apus.Unreadable) as caught:
        connection.open("scratch/text.hdf5")
    assert caught.value.code == "not_hdf5"
    with pytest.raises(apus.BadRequest, match="pass the end, the dataset has"):
        connection.data(f"data/{GAS.name}", "/PartType0/Coordinates", slice(0, 10**9))
    with pytest.raises(apus.BadRequest, match="there is no column 3"):
        connection.data(f"data/{GAS.name}", "/PartType0/Coordinates", None, 3)
    with pytest.raises(apus.NotFound):
        connection.data(f"data/{GAS.name}", "/PartType0/Nothing")
    with pytest.raises(apus.NotFound):
        connection.list("nowhere")
    assert issubclass(apus.TooLarge, apus.BadRequest)
    for name in apus.__all__:
        kind = getattr(apus, name)
        assert not (isinstance(kind, type) and issubclass(kind, Exception)) or issubclass(kind, apus.ApusError)


def test_too_large_an_answer(start_server):
    server = start_server({"data": TEST_DATA}, **{"APUS_ANSWER_BYTES": "1000"})
    with pytest.raises(apus.TooLarge, match="over the limit of 1000"):
        apus.connect(server.url).data(f"data/{GAS.name}", "/PartType0/Coordinates")


def test_a_server_that_is_not_there():
    tried = r"no server answers at http://127.0.0.1:9 \(tried GET http://127.0.0.1:9/ping\): ConnectionRefusedError.*; check that it is running"
    with pytest.raises(apus.Unreachable, match=tried):
        apus.connect("http://user:secret@127.0.0.1:9")


def test_a_busy_server_is_asked_again(proxy, no_sleep):
    proxy.busy = [(503, 2), (429, 3)]
    assert apus.connect(proxy.url).list("data")
    assert no_sleep == [2, 3]


def test_a_server_that_stays_busy(proxy, no_sleep):
    proxy.busy = [(503, 1)] * 10
    with pytest.raises(apus.Busy, match="the server is busy, try again later") as caught:
        apus.connect(proxy.url).list("data")
    assert caught.value.retry_after_s == 1
    assert len(proxy.requests) == 5
    proxy.requests.clear()
    proxy.busy = [(503, 3600)]
    with pytest.raises(apus.Busy):
        apus.connect(proxy.url).list("data")
    assert len(proxy.requests) == 1


def test_another_kind_of_server(server):
    with FaultyProxy("http://127.0.0.1:9") as nothing, pytest.raises(apus.Unreachable):
        apus.connect(nothing.url)
    with pytest.raises(apus.Unreachable, match="not as an Apus server does .tried .*/data/ping.: is the port right"):
        apus.connect(f"{server.url}data")


def test_the_nearest_name_of_the_listing(connection, tmp_path):
    for use in (connection.open, lambda path: connection.download(path, tmp_path), lambda path: connection.data(path, "/Header"), connection.object):
        with pytest.raises(apus.NotFound, match=f"no such file or folder 'data/fof_catalog.hdf5'; did you mean 'data/{SMALL.name}'?") as caught:
            use("data/fof_catalog.hdf5")
        assert (caught.value.status, caught.value.code) == (404, "not_found")
    with pytest.raises(apus.NotFound, match="no such file or folder 'dat'; did you mean 'data'?"):
        connection.open(f"dat/{SMALL.name}")
    with pytest.raises(apus.NotFound, match="no such file or folder 'dta'; did you mean 'data'?"):
        connection.list("dta")
    # Of an object that the file does not have, the server names the nearest.
    with pytest.raises(apus.NotFound, match="/PartType0/Mass: no such object"):
        connection.data(f"data/{GAS.name}", "/PartType0/Mass")


# -------------------------------------------------------------------------------------------------------------- credentials


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    """A server with a mount for those with the role `core`; with alice, who has it, and bob, who has not."""
    home = tmp_path_factory.mktemp("closed")
    config = home / "apus.toml"
    config.write_text(f'[[mounts]]\nname = "closed"\npath = "{TEST_DATA}"\nroles = ["core"]\n')
    add_user(home, "alice", "pässword: of alice", "core")
    add_user(home, "bob", "password of bob")
    token, _ = create_token(home, "alice")
    with Server({}, home, ["--config", str(config)]) as server:
        yield server, token


def test_credentials(closed, monkeypatch, tmp_path):
    server, token = closed
    path = f"closed/{SMALL.name}"
    for account in ({"user": "alice", "password": "pässword: of alice"}, {"token": token}):
        connection = apus.connect(server.url, **account)
        file = connection.open(path)
        assert file.groups
        assert file.download(tmp_path, overwrite=True).read_bytes() == SMALL.read_bytes()
        assert file.hdfstream()["Header"].attrs
        assert "alice" not in repr(connection)
    with pytest.raises(apus.Unauthorized):
        apus.connect(server.url, "alice", "wrong").open(path)
    with pytest.raises(apus.Unauthorized):
        apus.connect(server.url, token="wrong").open(path)
    for connection in (apus.connect(server.url), apus.connect(server.url, "bob", "password of bob")):
        with pytest.raises(apus.NotFound):
            connection.open(path)


def test_credentials_in_the_address_and_elsewhere(closed, monkeypatch, tmp_path):
    server, token = closed
    in_address = server.url.replace("://", "://alice:p%C3%A4ssword%3A%20of%20alice@")
    connection = apus.connect(in_address)
    assert connection.open(f"closed/{SMALL.name}").groups
    assert "alice" not in connection.url
    # A .netrc for the host does not replace a token.
    (tmp_path / "netrc").write_text("default login bob password wrong\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert apus.connect(server.url, token=token).open(f"closed/{SMALL.name}").groups
    for arguments in ({"user": "alice"}, {"password": "x"}, {"user": "alice", "password": "x", "token": "y"}):
        with pytest.raises(ValueError, match="password"):
            apus.connect(server.url, **arguments)
    for address in ("", "ftp://host", "http://"):
        with pytest.raises(ValueError, match="is no address"):
            apus.connect(address)


# ----------------------------------------------------------------------------------------------------------------- progress


class Bars:
    """Stands in for tqdm, and remembers."""

    def __init__(self, monkeypatch, watched):
        import tqdm.auto

        self.made = made = []

        class Bar:
            def __init__(self, **said):
                self.said, self.n, self.closed = said, said["initial"], False
                made.append(self)

            def update(self, n):
                self.n += n

            def close(self):
                self.closed = True

        monkeypatch.setattr(tqdm.auto, "tqdm", Bar)
        monkeypatch.setattr(apus.progress, "_is_watched", lambda: watched)


def test_long_transfers_have_a_bar_where_somebody_looks(server, monkeypatch, tmp_path, scratch):
    (scratch / "long.bin").write_bytes(bytes(apus.progress.MIN_BYTES + 1))
    for watched, wanted, expected in ((True, None, 1), (False, None, 0), (True, False, 0), (False, True, 2)):
        bars = Bars(monkeypatch, watched)
        connection = apus.connect(server.url, progress=wanted)
        connection.download("scratch/long.bin", tmp_path, overwrite=True)
        connection.data(f"data/{SMALL.name}", "/Groups/Masses")
        assert len(bars.made) == expected, (watched, wanted)
        for bar in bars.made:
            assert bar.closed
            assert bar.n == bar.said["total"]
            # Only what takes longer is shown.
            assert (bar.said["delay"] > 0) is (wanted is None)


# ------------------------------------------------------------------------------------------------------------ documentation


def test_what_its_readme_shows(tmp_path):
    """Each example of clients/python/README.md, as it stands there, against the demo."""
    readme = (REPOSITORY / "clients/python/README.md").read_text()
    examples = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    assert len(examples) >= 3
    with Server({}, tmp_path / "home", command="demo") as demo:
        done = ""
        for example in examples:
            # Later ones go on from the first.
            done += example.replace("http://127.0.0.1:8000", demo.url.rstrip("/"))
        ran = subprocess.run([sys.executable, "-c", done], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    assert "Mpc" in ran.stdout
