"""The hdfstream protocol under load and malice: the largest requests that clients send, bodies that lie or break off, clients that do not
read or go away."""

import concurrent.futures
import os
import pathlib
import re
import socket
import threading
import time
import urllib.parse

import h5py
import msgpack
import numpy as np
import pytest
import requests

pytestmark = pytest.mark.release

MSGPACK = "application/x-msgpack"
N_SLICES = 16_777_216
MIB = 1 << 20
RANGE_BYTES = 16


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    with h5py.File(folder / "x.hdf5", "w") as f:
        f["bytes"] = np.arange(2 * N_SLICES + 10, dtype="u8").view("u1")[::8]
        f.create_dataset("gzip", data=np.random.default_rng(1).random((4_000_000, 3)), chunks=(8192, 3), compression=1, shuffle=True, fletcher32=True)
    return folder


def head_of(n_dimensions=1, name="/bytes"):
    """A body up to its starts."""
    packer = msgpack.Packer(autoreset=False)
    packer.pack_map_header(2)
    packer.pack("object")
    packer.pack(name)
    packer.pack("slice")
    packer.pack_array_header(n_dimensions)
    packer.pack_array_header(2)
    return packer.bytes()


def numbers(values, wide):
    """An array of numbers, each five or nine bytes long: longer than clients make them."""
    packed = np.empty(len(values), [("marker", "u1"), ("value", ">u8" if wide else ">u4")])
    packed["marker"], packed["value"] = (0xCF if wide else 0xCE), values
    return b"\xdd" + len(values).to_bytes(4, "big") + packed.tobytes()


def body_of(n_slices, wide=False, n_bytes=1):
    return head_of() + numbers(np.arange(n_slices, dtype="u8") * 2, wide) + numbers(np.full(n_slices, n_bytes, "u8"), wide)


def post(session, body, **arguments):
    return session.post("hdfstream/msgpack/x.hdf5", data=body, headers={"Content-Type": MSGPACK}, **arguments)


def error(answer, status):
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, MSGPACK), answer.content[:300]
    return msgpack.unpackb(answer.content)["error"]


def data(answer):
    assert answer.status_code == 200, answer.content[:300]
    return b"".join(msgpack.unpackb(answer.content)["data"])


def limited(start_server, folder, tmp_path, limits):
    (tmp_path / "apus.toml").write_text(f'[[mounts]]\nname = ""\npath = "{folder}"\n[limits]\n{limits}\n')
    return start_server({}, "--config", tmp_path / "apus.toml")


# -------------------------------------------------------------------------------------------------------- large requests


@pytest.mark.timeout(600)
def test_as_many_slices_as_a_client_ever_sends(start_server, folder):
    """16,777,216 ranges in a body of 302 MB: beside the ranges themselves (256 MiB) the server needs next to nothing."""
    server = start_server({"": folder})
    with server.session() as session:
        before = server.peak_memory_bytes()
        body = body_of(N_SLICES, wide=True)
        assert len(body) > 300_000_000
        answer = post(session, (body[i : i + MIB] for i in range(0, len(body), MIB)))
        assert data(answer) == np.arange(0, 2 * N_SLICES, 2, dtype="u8").astype("u1").tobytes()
        peak = server.peak_memory_bytes()
        print(f"{N_SLICES} ranges in {len(body) >> 20} MiB: peak memory {peak >> 20} MiB, {before >> 20} MiB before")
        assert peak < before + N_SLICES * RANGE_BYTES + 64 * MIB


@pytest.mark.timeout(600)
def test_slices_that_join_are_not_kept_one_by_one(start_server, folder, tmp_path):
    """Four clients at once, each with ranges of 64 MiB that make one: the memory for slices suffices for one and a half at a time."""
    server = limited(start_server, folder, tmp_path, f"bodies_held_bytes = {96 * MIB}\nwait_ms = 60000")
    expected = np.arange(8_000_000, dtype="u8").astype("u1").tobytes()
    outcomes = []

    def ask():
        with server.session() as session:
            outcomes.append(data(post(session, body_of(4_000_000, n_bytes=2), timeout=300)) == expected)

    clients = [threading.Thread(target=ask) for _ in range(4)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert outcomes == [True] * 4


def test_more_slices_than_that_are_refused_before_they_come(start_server, folder):
    server = start_server({"": folder})
    with server.session() as session:
        too_many = head_of() + b"\xdd" + (N_SLICES + 1).to_bytes(4, "big")
        assert error(post(session, too_many), 400) == "Unable to decode request: Too many slices!"
        # A count that promises more than comes takes no memory either.
        for _ in range(50):
            promise = head_of() + b"\xdd" + N_SLICES.to_bytes(4, "big") + b"\x00"
            assert error(post(session, promise), 400) == "Unable to decode request: the body ends too early"
        assert server.peak_memory_bytes() < 200 * MIB


def test_a_body_over_the_limit_is_413(start_server, folder, tmp_path):
    server = limited(start_server, folder, tmp_path, f"slices_body_bytes = {MIB}")
    with server.session() as session:
        assert len(data(post(session, body_of(100_000)))) == 100_000
        text = error(post(session, body_of(110_000)), 413)
        assert "1048576" in text


@pytest.mark.timeout(600)
def test_a_body_without_end_is_cut_off(start_server, folder):
    """A client that sends and sends is told to stop, or finds the connection closed."""
    server = start_server({"": folder})

    def endless():
        yield head_of() + b"\xdd" + N_SLICES.to_bytes(4, "big") + b"\x00" * N_SLICES + b"\xdb\x00\x80\x00\x00"
        while True:
            yield b"x" * MIB

    with server.session() as session:
        try:
            assert post(session, endless(), timeout=300).status_code in (400, 413)
        except requests.exceptions.ConnectionError:
            pass
        assert len(data(post(session, body_of(10)))) == 10
    assert server.peak_memory_bytes() < 450 * MIB


def test_memory_for_slices_is_shared_and_given_back(start_server, folder, tmp_path):
    """Ranges of 32 MiB each: of two requests at once one finds no room, until the other has done nothing for a while."""
    server = limited(start_server, folder, tmp_path, f"bodies_held_bytes = {48 * MIB}\nwait_ms = 200")
    with server.session() as session:
        begun = upload(server.url, body_of(2_000_000), 10_100_000)
        # Small requests do not care.
        assert len(data(post(session, body_of(1000)))) == 1000
        wait_until(lambda: told_busy(session, body_of(2_000_000)) == "")
        begun.settimeout(60)
        answer = b"".join(iter(lambda: begun.recv(4096), b""))
        assert answer.startswith(b"HTTP/1.1 503 ") and b"other requests' bodies" in answer
        assert "takes more than" in error(post(session, body_of(5_000_000)), 413)


def told_busy(session, body):
    answer = post(session, body)
    if answer.status_code == 200:
        return ""
    assert int(answer.headers["Retry-After"]) >= 1
    return error(answer, 503)


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.05)


def upload(url, body, n_bytes):
    """Sends the first `n_bytes` of a body that was announced whole."""
    address = urllib.parse.urlsplit(url)
    connection = socket.create_connection((address.hostname, address.port))
    connection.sendall(f"POST /hdfstream/msgpack/x.hdf5 HTTP/1.1\r\nHost: x\r\nContent-Type: {MSGPACK}\r\nContent-Length: {len(body)}\r\n\r\n".encode())
    connection.sendall(body[:n_bytes])
    return connection


def test_bodies_that_break_off_leave_nothing_behind(start_server, folder, tmp_path):
    server = limited(start_server, folder, tmp_path, f"bodies_held_bytes = {48 * MIB}\nwait_ms = 60000")
    body = body_of(2_000_000)
    for n_bytes in (0, 1, 5, 20, 40, 1000, 100_001, 5_000_000, 10_000_000, 10_000_100, 15_000_000, len(body) - 1):
        connection = upload(server.url, body, n_bytes)
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(60)
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
        assert b" 200 " not in answer[:20]
        connection.close()
    with server.session() as session:
        assert len(data(post(session, body))) == 2_000_000
        assert "panicked" not in server.output


def test_a_body_that_stops_coming_is_given_up(start_server, folder, tmp_path):
    server = limited(start_server, folder, tmp_path, "body_ms = 300")
    connection = upload(server.url, body_of(1000), 500)
    connection.settimeout(60)
    answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 408 ") and b"came too slowly" in answer


# ------------------------------------------------------------------------------------ clients that do not read or go away

GZIP = msgpack.packb({"object": "/gzip", "slice": [[0, 4_000_000], [0, 3]]})
GZIP_BYTES = 4_000_000 * 24


def begin(url, body, target="/hdfstream/msgpack/x.hdf5"):
    return send(url, f"POST {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {MSGPACK}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)


def begin_get(url, target):
    return send(url, f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())


def send(url, request):
    """Sends a request and reads the start of its answer, no more."""
    address = urllib.parse.urlsplit(url)
    connection = socket.create_connection((address.hostname, address.port))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 14)
    connection.sendall(request)
    start = connection.recv(100)
    assert start.startswith(b"HTTP/1.1 200")
    return connection, start


def test_those_who_stop_reading_harm_nobody_and_get_everything_in_the_end(start_server, folder):
    server = start_server({"": folder})
    slow = [begin(server.url, GZIP) for _ in range(60)]
    with h5py.File(folder / "x.hdf5") as f:
        expected = f["gzip"][...].tobytes()
    with server.session() as session:
        for _ in range(3):
            assert data(session.post("hdfstream/msgpack/x.hdf5", data=GZIP, headers={"Content-Type": MSGPACK})) == expected
        assert session.post("hdfstream/msgpack/x.hdf5", data=b"\x80", headers={"Content-Type": MSGPACK}).status_code == 200
    # A stalled answer holds what was decoded ahead of it and a block or two on its way.
    assert server.peak_memory_bytes() < 64 * MIB + 61 * 6 * MIB
    for connection, start in slow[:3]:
        answer = start + b"".join(iter(lambda connection=connection: connection.recv(1 << 20), b""))
        assert answer.endswith(expected[-1000:]) and expected in answer
    for connection, _ in slow:
        connection.close()


def read_on(begun):
    connection, start = begun
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    return start + b"".join(iter(lambda: connection.recv(1 << 20), b""))


MINUTE = 60


@pytest.mark.timeout(600)
def test_who_reads_nothing_for_a_whole_minute_harms_nobody(start_server, folder):
    """Arrays, a download and a tar that nobody takes, while others are served all the time; then those who waited get all of theirs."""
    server = start_server({"folder": folder})
    target = "/hdfstream/msgpack/folder/x.hdf5"
    sliced = f"{target}?object=/gzip&slice=0:4000000,0:3"
    slow = [begin(server.url, GZIP, target) for _ in range(20)] + [begin_get(server.url, sliced) for _ in range(20)]
    slow += [begin_get(server.url, "/hdfstream/download/folder" + name) for name in ("/x.hdf5", "") for _ in range(10)]
    since = time.monotonic()
    with h5py.File(folder / "x.hdf5") as f:
        expected = f["gzip"][...].tobytes()
    n_served = 0
    with server.session() as session:
        while time.monotonic() < since + MINUTE:
            assert data(session.get(sliced)) == expected
            rows = session.get(target, params={"object": "/gzip", "slice": "1000000:1000010,0:3"})
            assert data(rows) == expected[24_000_000:24_000_240]
            for path in (target, "/hdfstream/msgpack/folder", "/ping"):
                assert session.get(path).status_code == 200
            n_served += 1
            # Some every second suffice; the rest of the minute belongs to the tests in other processes.
            time.sleep(1)
        assert n_served > 1 and answers_under_way(session) >= len(slow)
    assert server.peak_memory_bytes() < 64 * MIB + (len(slow) + 1) * 6 * MIB
    contents = (folder / "x.hdf5").read_bytes()
    bodies = {0: expected, 20: expected, 40: contents, 50: contents}
    # All at once: who still reads nothing after two minutes is given up.
    with concurrent.futures.ThreadPoolExecutor(len(bodies)) as readers:
        answers = dict(zip(bodies, readers.map(read_on, [slow[i] for i in bodies])))
    for i, body in bodies.items():
        assert body in answers[i], i
    for connection, _ in slow:
        connection.close()


def test_who_goes_away_is_no_longer_decoded_for(start_server, folder):
    server = start_server({"": folder})
    with server.session() as session:
        begun = cpu_seconds(server)
        data(session.post("hdfstream/msgpack/x.hdf5", data=GZIP, headers={"Content-Type": MSGPACK}))
        whole = cpu_seconds(server) - begun
        begun = cpu_seconds(server)
        for _ in range(20):
            begin(server.url, GZIP)[0].close()
        wait_until(lambda: answers_under_way(session) == 0)
        # Twenty answers would be twenty times the whole.
        assert cpu_seconds(server) - begun < 3 * whole + 1


def answers_under_way(session):
    return int(re.search(r"^apus_answers_in_progress (\d+)$", session.get("metrics").text, re.MULTILINE)[1])


def cpu_seconds(server):
    fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
