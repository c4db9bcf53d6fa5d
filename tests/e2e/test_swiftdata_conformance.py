"""The black-box suite of the older /swiftdata API, in its contract mode, with the stand-in for the login server beside it.

Suite, stand-in and data are in ../shared/conformance; where that is not there, these tests are not either.
"""

import json
import os
import re
import socket
import subprocess
import sys
import time

import pytest

from apus_server import Server
from conftest import PACK, SHARED, compared

SUITE = SHARED / "conformance" / "swiftdata_conformance.py"
SECRET = "a secret of at least thirty-two bytes, for tests"


@pytest.fixture(scope="module")
def login_server(tmp_path_factory):
    """The stand-in for the login server: its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("login") / "log"
    arguments = [sys.executable, SUITE.with_name("stub_virgodb.py"), str(port), str(log), "alice:wonder", "bob:builder"]
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(100):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)  # until it listens, at most ten seconds
    yield f"http://127.0.0.1:{port}/"
    process.terminate()
    process.wait()


if SUITE.exists():

    @pytest.mark.timeout(1800)
    def test_the_older_api_is_spoken_as_its_suite_wants_it(tmp_path, login_server):
        data = tmp_path / "data"
        subprocess.run([sys.executable, SUITE.with_name("make_data.py"), data], check=True, capture_output=True)
        config = tmp_path / "apus.toml"
        config.write_text("[aliases]\n" + f"snap = {json.dumps('data/test_subset.hdf5')}\n")
        environment = {"DB_URL": login_server, "JWT_SECRET_KEY": SECRET}
        arguments = ("--config", config)
        with Server({"data": data, "pack": PACK}, tmp_path / "server", arguments, environment) as server:
            # With swiftsimio 7 the suite looks into the pickles as well.
            suite = subprocess.run(
                [os.environ.get("APUS_PYTHON_SWIFTSIMIO7", sys.executable), "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(tmp_path), str(SUITE)],
                env=os.environ | {
                    "BASE_URL": server.url.rstrip("/"), "DATA_DIR": str(data), "CONF_SECRET": SECRET, "CONF_ALIAS": "snap:test_subset.hdf5",
                    "CONF_SNAPSHOTS": str(PACK),
                },
                cwd=tmp_path, text=True, capture_output=True,
            )  # fmt: skip
        assert suite.returncode == 0, suite.stdout[-8000:] + suite.stderr[-2000:]
        passed = int(re.search(r"(\d+) passed", suite.stdout)[1])
        assert passed > 100
        compared["tests of the /swiftdata conformance suite passed"] += passed
