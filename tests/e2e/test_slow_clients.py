"""Clients that do not read, or go away, cost the others nothing."""

import re
import socket
import urllib.parse

import h5py
import numpy as np
import pytest

pytestmark = pytest.mark.release

N_SLOW = 60
# What a stalled answer may hold: what was decoded ahead of it (work_ahead_bytes), and blocks on their way; and what the process itself needs.
ANSWER_BYTES = 6 << 20
PROCESS_BYTES = 64 << 20
ROWS = 4_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slow")
    values = np.arange(3.0 * ROWS).reshape(ROWS, 3)
    with h5py.File(folder / "x.h5", "w") as f:
        f.create_dataset("x", data=values, chunks=(8192, 3), compression=1, shuffle=True, fletcher32=True)
    return folder


def begin(url, target):
    """Sends a request and reads the start of its answer, no more."""
    address = urllib.parse.urlsplit(url)
    connection = socket.create_connection((address.hostname, address.port))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 14)
    connection.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert connection.recv(100).startswith(b"HTTP/1.1 200")
    return connection


@pytest.mark.parametrize("form", ["npy", "json"])
def test_those_who_do_not_read_hold_nobody_up(start_server, folder, form):
    server = start_server({"": folder})
    slow = [begin(server.url, f"/v1/data/x.h5?object=/x&format={form}") for _ in range(N_SLOW)]
    with server.session() as session:
        answer = session.get("/v1/data/x.h5", params={"object": "/x", "format": "raw"})
        assert len(answer.content) == ROWS * 24
        assert answer.content[-24:] == np.arange(3.0 * ROWS - 3, 3.0 * ROWS).tobytes()
        assert session.get("/ping").json() == {"ping": "pong"}
    for connection in slow:
        connection.close()
    assert server.peak_memory_bytes() < PROCESS_BYTES + (N_SLOW + 1) * ANSWER_BYTES


def test_an_answer_that_was_given_up_is_logged_as_such(start_server, folder):
    server = start_server({"": folder})
    begin(server.url, "/v1/data/x.h5?object=/x").close()
    with server.session() as session:
        assert session.get("/v1/data/x.h5", params={"object": "/x"}).status_code == 200
    server.__exit__(None, None, None)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", server.output)
    assert "complete=false" in plain
    assert "complete=true" in plain
