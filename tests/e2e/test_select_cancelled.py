"""A selection whose client goes away stops, wherever it was: no thread goes on for nobody."""

import os
import pathlib
import re
import socket
import time
import urllib.parse

import h5py
import numpy as np
import pytest

from conftest import TEST_DATA

pytestmark = pytest.mark.release

TEMPLATE = TEST_DATA / "cosmo_box_gzip_v1.0.0.hdf5"
COPIES = 300
FORMS = ["npz", "hdf5", "json", "arrow", "parquet", "csv"]
N_CANCELLED = 6
# True of no row, which takes long to find out.
NEVER = "abs(coordinates.x)" + " + sqrt(abs(coordinates.y * coordinates.z))" * 40 + " < 0"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A snapshot of gas, each row of a real one many times, with noise that compresses badly."""
    random = np.random.default_rng(1)
    folder = tmp_path_factory.mktemp("cancelled")
    with h5py.File(TEMPLATE) as source, h5py.File(folder / "x.hdf5", "w") as f:
        for name in ("Header", "Units", "Cosmology", "Cells"):
            source.copy(name, f)
        for name in ("Coordinates", "Velocities", "ParticleIDs"):
            values = np.repeat(source["PartType0"][name][...], COPIES, axis=0)
            if values.dtype.kind == "f":
                values = (values * (1 + 1e-3 * random.random(values.shape))).astype(values.dtype)
            dataset = f.create_dataset(f"PartType0/{name}", data=values, chunks=(8192, *values.shape[1:]), compression=1, shuffle=True, fletcher32=True)
            for attribute, value in source["PartType0"][name].attrs.items():
                dataset.attrs[attribute] = value
        counts = np.zeros(len(f["Header"].attrs["NumPart_ThisFile"]), "u4")
        counts[0] = len(f["PartType0/ParticleIDs"])
        for name in ("NumPart_ThisFile", "NumPart_Total"):
            f["Header"].attrs[name] = counts
        for table in ("Counts/PartType0", "OffsetsInFile/PartType0", "Offsets/PartType0"):
            if table in f["Cells"]:
                f["Cells"][table][...] *= COPIES
    return folder


def begin(server, params):
    """Sends a request; nothing of the answer is read."""
    address = urllib.parse.urlsplit(server.url)
    connection = socket.create_connection((address.hostname, address.port))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 14)
    connection.sendall(f"GET /v1/select/x.hdf5?{urllib.parse.urlencode(params)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return connection


def cpu_seconds(server):
    fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def gauge(session, name):
    return int(re.search(rf"^apus_{name} (\d+)$", session.get("metrics").text, re.MULTILINE)[1])


def counted(session, name):
    """A counter of the requests to /v1/select, of all its labels together."""
    return sum(int(n) for n in re.findall(rf'^apus_{name}_total{{[^\n]*/v1/select[^\n]*}} (\d+)$', session.get("metrics").text, re.MULTILINE))


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.02)


def is_at_rest(session):
    return gauge(session, "reads_in_progress") == gauge(session, "answers_in_progress") == 0


def is_idle(server):
    """Whether the process does nothing: no more than a tick of the clock in a fifth of a second."""
    before = cpu_seconds(server)
    time.sleep(0.2)
    return cpu_seconds(server) - before < 2.5 / os.sysconf("SC_CLK_TCK")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("form", FORMS)
def test_rows_are_looked_at_for_those_alone_who_wait(start_server, folder, form):
    # With minima and maxima remembered, a condition that no row satisfies is not looked at twice.
    server = start_server({"": folder}, "--statistics-cache-bytes", "0")
    params = {"fields": "gas.coordinates,gas.velocities", "format": form, "where": NEVER}
    with server.session() as session:
        begun = cpu_seconds(server)
        answer = session.get("v1/select/x.hdf5", params=params)
        assert answer.status_code == 200, answer.text
        whole = cpu_seconds(server) - begun
        begun = cpu_seconds(server)
        for _ in range(N_CANCELLED):
            connection = begin(server, params)
            wait_until(lambda: gauge(session, "reads_in_progress") > 0)
            connection.close()
            wait_until(lambda: is_at_rest(session))
        wait_until(lambda: is_idle(server))
        taken = cpu_seconds(server) - begun
        print(f"{form}: {whole:.2f} CPU-seconds for the whole, {taken:.2f} for {N_CANCELLED} cancelled")
        # Had they gone on, they would have taken six times the whole.
        assert taken < N_CANCELLED / 2 * whole + 1


@pytest.mark.timeout(600)
@pytest.mark.parametrize("form", FORMS)
def test_values_are_made_for_those_alone_who_take_them(start_server, folder, form):
    server = start_server({"": folder})
    params = {"fields": "gas.coordinates,gas.velocities", "format": form}
    with server.session() as session:
        answer = session.get("v1/select/x.hdf5", params=params)
        assert answer.status_code == 200, answer.text
        before = counted(session, "http_sent_bytes")
        assert before == len(answer.content)
        for _ in range(N_CANCELLED):
            connection = begin(server, params)
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
            connection.close()
            wait_until(lambda: is_at_rest(session))
        wait_until(lambda: counted(session, "http_aborted") == N_CANCELLED)
        wait_until(lambda: is_idle(server))
        made = counted(session, "http_sent_bytes") - before
        print(f"{form}: {len(answer.content)} bytes for the whole, {made} for {N_CANCELLED} cancelled")
        assert made < N_CANCELLED / 2 * len(answer.content)
        assert session.get("v1/select/x.hdf5", params=params | {"limit": 5}).status_code == 200
