"""Clients that mean harm: what a service on the open network meets. Used by test_hostile_clients.py and bench/hostile_clients.py.

Each attack is a context: it goes on while it is entered. `Bystander` asks meanwhile what anybody asks, and keeps what became of it.
"""

import base64
import contextlib
import json
import pathlib
import re
import resource
import socket
import struct
import threading
import time
import urllib.parse

import h5py
import msgpack
import numpy as np

ROWS = 4_000_000
HOT_ROWS = 300
MIB = 1 << 20
NAME, PASSWORD = "alice", "wonder"
ADDRESS = "127.0.0.66"
BASIC = "Basic " + base64.b64encode(f"{NAME}:{PASSWORD}".encode()).decode()


def allow_many_sockets():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def make_data(folder):
    """A dataset as SWIFT stores them, of 96 MB, alone and as the gas of a snapshot."""
    values = np.arange(3.0 * ROWS).reshape(ROWS, 3)
    with h5py.File(folder / "x.hdf5", "w") as f:
        f.create_dataset("x", data=values, chunks=(8192, 3), compression=1, shuffle=True, fletcher32=True)


def make_snapshot(folder, template, copies=300):
    """A snapshot of gas, each row of a real one many times."""
    with h5py.File(template) as source, h5py.File(folder / "snapshot.hdf5", "w") as f:
        for name in ("Header", "Units", "Cosmology"):
            source.copy(name, f)
        for name in ("Coordinates", "Velocities", "ParticleIDs"):
            values = np.repeat(source["PartType0"][name][...], copies, axis=0)
            dataset = f.create_dataset(f"PartType0/{name}", data=values, chunks=(8192, *values.shape[1:]), compression=1, shuffle=True)
            for attribute, value in source["PartType0"][name].attrs.items():
                dataset.attrs[attribute] = value
        counts = np.zeros(len(f["Header"].attrs["NumPart_ThisFile"]), "u4")
        counts[0] = len(f["PartType0/ParticleIDs"])
        for name in ("NumPart_ThisFile", "NumPart_Total"):
            f["Header"].attrs[name] = counts


# ------------------------------------------------------------------------------------------------------------- requests


def get(target, **headers):
    return head("GET", target, headers) + b"\r\n"


def post(target, body, media_type, **headers):
    headers |= {"Content-Type": media_type, "Content-Length": len(body)}
    return head("POST", target, headers) + b"\r\n" + body


def head(method, target, headers):
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n"


SLICES = msgpack.packb({"object": "/x", "slice": [[0, ROWS], [0, 3]]})
FIELDS = "fields=gas.coordinates,gas.velocities"
# One that every protocol and form has: long answers.
LONG_ANSWERS = [
    get("/v1/data/x.hdf5?object=/x"),
    get("/v1/data/x.hdf5?object=/x&format=json"),
    get("/v1/data/x.hdf5?object=/x&format=csv"),
    get("/v1/download/x.hdf5"),
    get(f"/v1/select/snapshot.hdf5?{FIELDS}&format=npz"),
    get(f"/v1/select/snapshot.hdf5?{FIELDS}&format=hdf5"),
    get(f"/v1/select/snapshot.hdf5?{FIELDS}&format=arrow"),
    get(f"/v1/select/snapshot.hdf5?{FIELDS}&format=parquet"),
    get(f"/v1/select/snapshot.hdf5?{FIELDS}&format=csv"),
    post("/v1/data/x.hdf5", b'{"object": "/x", "format": "raw"}', "application/json"),
    post("/hdfstream/msgpack/x.hdf5", SLICES, "application/x-msgpack"),
    get("/hdfstream/download/x.hdf5"),
    post("/swiftdata/unmasked_dataset", b'{"data_spec": {"filename": "x.hdf5", "field": "x"}}', "application/json", Authorization=BASIC),
]
# Every address that takes a body, with the beginning of one that would be long.
BODIES = [
    (head("POST", "/v1/select/snapshot.hdf5", {"Content-Type": "application/json"}), b'{"fields": "gas.masses", "ids": [' + b"1," * 100),
    (head("POST", "/v1/data/x.hdf5", {"Content-Type": "application/json"}), b'{"object": "/x", "rows": [' + b"[1,2]," * 100),
    (head("POST", "/hdfstream/msgpack/x.hdf5", {"Content-Type": "application/x-msgpack"}), SLICES[:1] + b"\xa5slice\x92\x92\xdd\x01\x00\x00\x00" + b"\x00" * 100),
    (head("POST", "/swiftdata/masked_dataset", {"Content-Type": "application/json", "Authorization": BASIC}), b'{"data_spec": {"filename": "' + b"x" * 100),
    (head("POST", "/token", {"Content-Type": "application/json"}), b'{"username": "' + b"x" * 100),
]


# True of no row, which takes long to find out.
NEVER = "abs(coordinates.x)" + " + sqrt(abs(coordinates.y * coordinates.z))" * 40 + " < 0"


def selection(condition, n, i):
    body = {"fields": "gas.coordinates", "where": [condition] * n, "stride": i + 1}
    return post("/v1/select/snapshot.hdf5", json.dumps(body).encode(), "application/json")


def monster(i):
    """A selection of 3,500 conditions with 4 kB each."""
    return selection(f"{NEVER} or {NEVER}", 3500, i)


def allowed_monster(i):
    """As long a one as the service takes."""
    return selection(NEVER, 30, i)


def connect(url, received=1 << 12):
    address = urllib.parse.urlsplit(url)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, received)
    connection.settimeout(120)
    # Not where others ask from: permits are shared among addresses first.
    connection.bind((ADDRESS, 0))
    connection.connect((address.hostname, address.port))
    return connection


def send(connection, data):
    """Sends what the service takes of it."""
    with contextlib.suppress(OSError):
        connection.sendall(data)
    return connection


def close_all(connections):
    for connection in connections:
        connection.close()


# -------------------------------------------------------------------------------------------------------------- attacks


@contextlib.contextmanager
def readers_of_nothing(url, n=400):
    connections = [send(connect(url), LONG_ANSWERS[i % len(LONG_ANSWERS)]) for i in range(n)]
    yield connections
    close_all(connections)


@contextlib.contextmanager
def slow_readers(url, n=2000, bytes_per_second=1000):
    """Clients that read a little from time to time."""
    connections = [send(connect(url), LONG_ANSWERS[i % len(LONG_ANSWERS)]) for i in range(n)]
    stopped = threading.Event()

    def read():
        for connection in connections:
            connection.setblocking(False)
        while not stopped.wait(1):
            for connection in connections:
                with contextlib.suppress(OSError):
                    connection.recv(bytes_per_second)

    thread = threading.Thread(target=read)
    thread.start()
    yield connections
    stopped.set()
    thread.join()
    close_all(connections)


@contextlib.contextmanager
def slow_heads(url, n=2000):
    """Heads of requests that come byte by byte; some do not even begin, some are going to be HTTP/2."""
    starts = [b"GET /v1/list/ HTTP/1.1\r\nHost: localhost\r\nX-A: ", b"", b"PRI * HTTP/2.0\r\n", PREFACE]
    connections = [send(connect(url), starts[i % len(starts)]) for i in range(n)]
    stopped = threading.Event()

    def trickle():
        while not stopped.wait(1):
            for i, connection in enumerate(connections):
                if i % len(starts) == 0:
                    send(connection, b"a")

    thread = threading.Thread(target=trickle)
    thread.start()
    yield connections
    stopped.set()
    thread.join()
    close_all(connections)


@contextlib.contextmanager
def unfinished_bodies(url, n=150, n_bytes=15_500_000):
    """Bodies that stop before their end, on every address that takes one. They are sent at once, from a few threads."""
    connections = [None] * n

    def upload(first):
        for i in range(first, n, 10):
            start, body = BODIES[i % len(BODIES)]
            connection = connections[i] = connect(url)
            send(connection, start + b"Content-Length: %d\r\n\r\n" % (n_bytes + 1) + body)
            filler = body[-100:] * 1000
            connection.settimeout(2)
            with contextlib.suppress(OSError):
                for _ in range((n_bytes - len(body)) // len(filler)):
                    connection.sendall(filler)

    threads = [threading.Thread(target=upload, args=[i]) for i in range(10)]
    for thread in threads:
        thread.start()
    yield connections
    for thread in threads:
        thread.join()
    close_all(filter(None, connections))


@contextlib.contextmanager
def abandoned_monsters(url, n=4, request=monster):
    """Work without end for clients that are gone."""
    for i in range(n):
        connection = send(connect(url), request(i))
        connection.settimeout(0.5)
        with contextlib.suppress(OSError):
            connection.recv(1)
        connection.close()
    yield []


@contextlib.contextmanager
def monsters(url, n=8):
    """Long work for clients that wait for it."""
    connections = [send(connect(url), allowed_monster(i)) for i in range(n)]
    yield connections
    close_all(connections)


@contextlib.contextmanager
def wrong_logins(url, n=1000):
    request = get("/v1/list/", Authorization="Basic " + base64.b64encode(b"nobody:nothing").decode())
    connections = [send(connect(url), request) for _ in range(n)]
    yield connections
    close_all(connections)


# ---------------------------------------------------------------------------------------------------------------- HTTP/2

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS = 0, 1, 3, 4
END_STREAM, END_HEADERS, ACK = 1, 4, 1
INITIAL_WINDOW_SIZE = 4


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def settings(**values):
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", {"window": INITIAL_WINDOW_SIZE}[name], value) for name, value in values.items()))


def http2_get(stream, target):
    """A request by HPACK without a table. Source: RFC 7541, appendix A."""

    def literal(name, text):
        assert len(text) < 127
        return bytes([name, len(text)]) + text.encode()

    fields = b"\x82\x86" + literal(4, target) + literal(1, "localhost")
    return frame(HEADERS, END_STREAM | END_HEADERS, stream, fields)


def http2_streams(n, first=1):
    return range(first, first + 2 * n, 2)


@contextlib.contextmanager
def zero_windows(url, n=2, n_streams=128):
    """HTTP/2 clients that take no byte of any of their streams."""
    target = "/v1/data/x.hdf5?object=/x"
    requests = b"".join(http2_get(stream, target) for stream in http2_streams(n_streams))
    connections = [send(connect(url), PREFACE + settings(window=0) + requests) for _ in range(n)]
    yield connections
    close_all(connections)


@contextlib.contextmanager
def rapid_resets(url, n=2):
    """HTTP/2 clients that take back each request as soon as they have sent it."""
    stopped = threading.Event()

    def ask():
        while not stopped.is_set():
            connection = send(connect(url), PREFACE + settings())
            first = 1
            while not stopped.is_set() and first < 100_000:
                streams = http2_streams(50, first)
                requests = b"".join(http2_get(i, "/v1/data/x.hdf5?object=/x") + frame(RST_STREAM, 0, i, b"\0\0\0\x08") for i in streams)
                try:
                    connection.sendall(requests)
                except OSError:
                    break
                first += 100
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(n)]
    for thread in threads:
        thread.start()
    yield []
    stopped.set()
    for thread in threads:
        thread.join()


ATTACKS = {
    attack.__name__: attack
    for attack in [
        readers_of_nothing, slow_readers, slow_heads, unfinished_bodies, abandoned_monsters, monsters, wrong_logins, zero_windows, rapid_resets,
    ]
}


# ----------------------------------------------------------------------------------------------------------- bystanders


class Bystander:
    """Asks for a few rows, again and again, and keeps how long that took and what went wrong."""

    def __init__(self, server, n=300):
        self.server, self.n = server, n
        self.seconds, self.faults = [], []

    def ask(self):
        with self.server.session() as session:
            for i in range(self.n):
                first = 13_001 * i % (ROWS - HOT_ROWS)
                begun = time.perf_counter()
                try:
                    answer = session.get("/v1/data/x.hdf5", params={"object": "/x", "rows": f"{first}:{first + HOT_ROWS}", "format": "raw"}, timeout=60)
                    expected = np.arange(3.0 * first, 3.0 * (first + HOT_ROWS)).tobytes()
                    if (answer.status_code, answer.content) != (200, expected):
                        self.faults.append(f"{i}: {answer.status_code} {answer.content[:200]}")
                except OSError as error:
                    self.faults.append(f"{i}: {error}")
                self.seconds.append(time.perf_counter() - begun)
        return self

    def milliseconds(self, quantile):
        return 1e3 * float(np.quantile(self.seconds, quantile))


def resident_bytes(server, name="VmRSS"):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) * 1024
