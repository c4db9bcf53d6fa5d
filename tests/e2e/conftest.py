"""Starts the built binary on folders of real files, once for all tests, and again for those that need one of their own.

Environment: APUS_BIN, the binary (default: target/debug/apus, else target/release/apus). With ../shared beside the repository the whole
data pack and the HDF5 matrix are served and compared too; without it, tests/data alone.

Tests run in several processes (pytest-xdist; `-n 0` for one), each with a server of its own. A module stays in one process, so that what
it sets up is made once and its tests keep their order; tests of one file by SWIFT each go wherever there is time.
"""

import collections
import hashlib
import pathlib
import subprocess
import sys

import pytest

from apus_server import Server, binary

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
TEST_DATA = REPOSITORY / "tests" / "data"
SHARED = REPOSITORY.parent / "shared"
PACK = SHARED / "data" / "swift"
MAKE_H5_MATRIX = SHARED / "conformance" / "make_h5_matrix.py"
MATRIX_SEEDS = (3, 14)

# Mount name -> folder of files by SWIFT, each with its DIGESTS.json.
PACKS = {"data": TEST_DATA} | ({"pack": PACK} if PACK.is_dir() else {})


def different_files():
    """Mount name -> files by SWIFT, each content once: what the whole pack has too is not taken from tests/data again."""
    files, seen = {}, set()
    for mount, folder in reversed(PACKS.items()):
        for path in sorted(folder.glob("*.hdf5")):
            digest = hashlib.sha256(path.read_bytes()).digest()
            if digest not in seen:
                files.setdefault(mount, []).append(path)
                seen.add(digest)
    return files


FILES_OF_MOUNT = different_files()
SWIFT_FILES = [(mount, path) for mount, paths in FILES_OF_MOUNT.items() for path in paths]
# What swiftsimio 12 does not open, for it does not know this type of output; test_info shows that it still does not.
REFUSED_BY_SWIFTSIMIO = {"snipshot_subsampled.hdf5"}

# How many datasets were compared with the truth, by what they were compared with: shown at the end of the run.
compared = collections.Counter()


def swift_files_where(is_meant):
    """Runs a test once for each file by SWIFT of which `is_meant(path)` holds, with `mount` and `path`."""
    files = [(mount, path) for mount, path in SWIFT_FILES if is_meant(path)]
    assert files
    return pytest.mark.parametrize(("mount", "path"), files, ids=[f"{m}/{p.name}" for m, p in files])


def swift_files(test):
    """Runs a test once for each file by SWIFT, with `mount` and `path`."""
    return swift_files_where(lambda path: True)(test)


def is_read_by_swiftsimio(path):
    return path.name not in REFUSED_BY_SWIFTSIMIO


def pytest_configure():
    binary()  # says at once what is missing


def is_of_one_file(nodeid):
    """Whether it is a test by `swift_files` of one file."""
    return nodeid.partition("[")[2].removesuffix("]") in {f"{mount}/{path.name}" for mount, path in SWIFT_FILES}


def pytest_collection_modifyitems(items):
    """Modules first, in their order; then the many short tests of one file, which fill what time is left in each process."""
    items.sort(key=lambda item: is_of_one_file(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Keeps the tests of a module together, except for those of one file. (The groups that pytest-xdist offers need an older pytest.)"""
    from xdist.scheduler import LoadScopeScheduling

    class ByModuleOrFile(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return nodeid if is_of_one_file(nodeid) else nodeid.partition("::")[0]

    return ByModuleOrFile(config, log)


def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["compared"] = dict(compared)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """What a process compared is added to what the others did."""
    compared.update(getattr(node, "workeroutput", {}).get("compared", {}))


def pytest_terminal_summary(terminalreporter):
    terminalreporter.section("datasets compared")
    for what, n in sorted(compared.items()):
        terminalreporter.write_line(f"{n:7d} {what}")


@pytest.fixture(scope="session")
def matrix_folders(tmp_path_factory):
    """One folder for each seed with the files of make_h5_matrix.py, by mount name; none without ../shared."""
    folders = {}
    for seed in MATRIX_SEEDS if MAKE_H5_MATRIX.exists() else ():
        folder = tmp_path_factory.mktemp(f"matrix{seed}")
        subprocess.run([sys.executable, MAKE_H5_MATRIX, folder, str(seed)], check=True)
        folders[f"matrix{seed}"] = folder
    return folders


@pytest.fixture(scope="session")
def scratch(tmp_path_factory):
    """The folder behind the mount `scratch` of the common server: tests put files there, each under a name of its own."""
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="session")
def server(matrix_folders, scratch, tmp_path_factory):
    """The server that all tests share which change nothing but `scratch`."""
    with Server(PACKS | matrix_folders | {"scratch": scratch}, tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="session")
def http(server):
    """A session with the common server: `http.get("/v1/list/")`."""
    with server.session() as session:
        yield session


@pytest.fixture
def start_server(tmp_path):
    """Starts servers for one test: `start_server({"name": folder}, "--flag")`."""
    started = []

    def start(mounts, *arguments, **environment):
        server = Server(mounts, tmp_path / f"server{len(started)}", arguments, environment)
        started.append(server)
        return server.__enter__()

    yield start
    for server in started:
        server.__exit__(None, None, None)
