"""Nobody notices hostile clients: while an attack goes on, others are answered, memory is bounded, and the service can be stopped.

The full numbers, and how long others wait, are measured by bench/hostile_clients.py.
"""

import contextlib
import inspect
import json
import signal
import time

import pytest

import hostile
from accounts import add_user
from conftest import TEST_DATA

pytestmark = pytest.mark.release

TEMPLATE = TEST_DATA / "cosmo_box_gzip_v1.0.0.hdf5"
PEAK_BYTES = 400 << 20
# What is left when the attackers have gone: caches (some 100 MiB when full), and what the allocator keeps.
LEFT_BYTES = 250 << 20
SHUTDOWN_MS = 2_000
# In the full numbers of bench/hostile_clients.py the attackers themselves need most of the machine.
N_OF_ATTACK = {"readers_of_nothing": 200, "slow_readers": 300, "slow_heads": 400, "unfinished_bodies": 30, "wrong_logins": 200}


@pytest.fixture(scope="module", autouse=True)
def many_sockets():
    hostile.allow_many_sockets()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    hostile.make_data(folder)
    hostile.make_snapshot(folder, TEMPLATE)
    return folder


def start(start_server, folder, tmp_path, **limits):
    """A service with one account, and these limits."""
    add_user(tmp_path / "server0", hostile.NAME, hostile.PASSWORD)
    limits = {"shutdown_ms": SHUTDOWN_MS} | limits
    lines = [f'[[mounts]]\nname = ""\npath = "{folder}"', "[limits]", *(f"{name} = {value}" for name, value in limits.items())]
    (tmp_path / "apus.toml").write_text("\n".join(lines) + "\n")
    return start_server({}, "--config", tmp_path / "apus.toml", APUS_LOG="warn")


def begin(name, url):
    attack = hostile.ATTACKS[name]
    return attack(url, n=N_OF_ATTACK.get(name, inspect.signature(attack).parameters["n"].default))


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.05)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", hostile.ATTACKS)
def test_others_are_answered_memory_is_bounded_and_it_can_be_stopped(start_server, folder, tmp_path, name):
    server = start(start_server, folder, tmp_path)
    with begin(name, server.url):
        bystander = hostile.Bystander(server, 100).ask()
    assert bystander.faults == []
    peak = hostile.resident_bytes(server, "VmHWM")
    wait_until(lambda: hostile.resident_bytes(server) < LEFT_BYTES)
    print(f"{name}: peak {peak >> 20} MiB, then {hostile.resident_bytes(server) >> 20} MiB")
    assert peak < PEAK_BYTES
    with begin(name, server.url):
        server.process.send_signal(signal.SIGTERM)
        # The limit, and the time that a busy machine takes to end a process.
        assert server.process.wait(SHUTDOWN_MS / 1000 + 10) == 0


# ---------------------------------------------------------------------------------------- conditions, and work for nobody


def test_a_list_of_conditions_is_limited_and_its_cost_is_told(start_server, folder, tmp_path):
    server = start(start_server, folder, tmp_path, conditions=3, condition_bytes=100)
    fields = {"fields": "gas.coordinates"}
    with server.session() as session:
        for conditions, fault in [
            (["masses>0"] * 4, "where: 4 conditions, the most is 3"),
            (["coordinates.x > 0" + " " * 100], "where: the conditions have 117 bytes together, the most is 100"),
        ]:
            for answer in [
                session.post("/v1/select/snapshot.hdf5", json=fields | {"where": conditions}),
                session.get("/v1/select/snapshot.hdf5", params=fields | {"where": ";".join(conditions)}),
            ]:
                assert answer.status_code == 413
                assert fault in answer.json()["detail"]
        cost = session.post("/v1/select/snapshot.hdf5", json=fields | {"where": ["coordinates.x > 0", "abs(coordinates.y) > 0"], "explain": True}).json()
        assert cost["conditions"] == {"n": 2, "limit": 3, "size_bytes": 39, "limit_bytes": 100}
        # One comparison; another with an absolute value of a column.
        assert cost["groups"][0]["n_operations_at_most"] == 4 * cost["groups"][0]["n_rows"]


def reads(session):
    return session.counted("reads_in_progress")


@pytest.mark.timeout(120)
def test_monsters_without_clients_hold_no_core(start_server, folder, tmp_path):
    server = start(start_server, folder, tmp_path)
    with server.session() as session:
        connections = [hostile.send(hostile.connect(server.url), hostile.allowed_monster(i)) for i in range(4)]
        wait_until(lambda: reads(session) > 0)
        hostile.close_all(connections)
        wait_until(lambda: reads(session) == 0, 30)


@pytest.mark.timeout(120)
def test_long_work_lets_short_work_go_first(start_server, folder, tmp_path):
    """As many monsters as there are threads, and clients that wait for them: others have their turn all the same."""
    server = start(start_server, folder, tmp_path, concurrent_reads=2, wait_ms=20_000)
    with server.session() as session:
        connections = [hostile.send(hostile.connect(server.url), hostile.allowed_monster(i)) for i in range(3)]
        wait_until(lambda: reads(session) >= 2)
        assert hostile.Bystander(server, 20).ask().faults == []
        assert reads(session) > 0, "the monsters are still there"
        hostile.close_all(connections)


@pytest.mark.timeout(120)
def test_more_work_than_places_is_told_to_come_again(start_server, folder, tmp_path):
    server = start(start_server, folder, tmp_path, concurrent_answers=1, wait_ms=200)
    rows = {"object": "/x", "rows": "0:1", "format": "json"}
    with server.session() as session:
        connection = hostile.send(hostile.connect(server.url), hostile.allowed_monster(0))
        wait_until(lambda: reads(session) > 0)
        busy = session.get("/v1/data/x.hdf5", params=rows)
        assert busy.status_code == 503
        assert busy.headers["Content-Type"] == "application/problem+json"
        assert int(busy.headers["Retry-After"]) >= 1
        # What needs no file is answered all the same.
        assert session.get("/ping").json() == {"ping": "pong"}
        connection.close()
        wait_until(lambda: reads(session) == 0)
        freed = session.get("/v1/data/x.hdf5", params=rows)
        assert (freed.status_code, freed.json()) == (200, [[0.0, 1.0, 2.0]])


def test_work_in_progress_does_not_keep_the_process(start_server, folder, tmp_path):
    server = start(start_server, folder, tmp_path, shutdown_ms=500)
    with server.session() as session:
        connections = [hostile.send(hostile.connect(server.url), hostile.allowed_monster(i)) for i in range(4)]
        wait_until(lambda: reads(session) > 0)
    server.process.terminate()
    assert server.process.wait(10) == 0
    hostile.close_all(connections)


# -------------------------------------------------------------------------------------------------------------- answers


@pytest.mark.timeout(120)
def test_places_are_for_work_and_not_for_waiting(start_server, folder, tmp_path):
    """With one place of each kind, sixty clients that read nothing keep nobody out."""
    server = start(start_server, folder, tmp_path, concurrent_answers=1, concurrent_reads=1, wait_ms=30_000)
    with hostile.readers_of_nothing(server.url, 60):
        assert hostile.Bystander(server, 20).ask().faults == []


@pytest.mark.timeout(120)
def test_those_that_wait_longest_give_their_memory_to_others(start_server, folder, tmp_path):
    limit = 2 << 20
    server = start(start_server, folder, tmp_path, waiting_bytes=limit)
    with server.session() as session, hostile.readers_of_nothing(server.url, 80):
        wait_until(lambda: session.counted("stalled_total") > 0)
        wait_until(lambda: 0 < session.counted("answers_waiting_bytes") <= limit)
    # Whoever reads is never among them.
    with server.session() as session:
        answer = session.get("/v1/data/x.hdf5", params={"object": "/x", "format": "raw"})
        assert len(answer.content) == hostile.ROWS * 24


@pytest.mark.timeout(120)
@pytest.mark.parametrize("request_", hostile.LONG_ANSWERS, ids=lambda request: request.split(b" HTTP")[0].decode())
def test_an_answer_that_waits_goes_on_where_it_was(start_server, folder, tmp_path, request_):
    """Of every protocol and form: a client that pauses long enough for the answer to be parked gets what one gets that does not."""
    server = start(start_server, folder, tmp_path)

    def read(pauses):
        connection = hostile.send(hostile.connect(server.url, 1 << 16), request_.replace(b"Host: localhost", b"Host: localhost\r\nConnection: close"))
        data = bytearray()
        while block := connection.recv(1 << 20):
            data += block
            if pauses and len(data) > pauses[0]:
                pauses = pauses[1:]
                time.sleep(0.6)
        head, _, body = bytes(data).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), data[:300]
        return body if b"chunked" not in head else dechunked(body)

    assert read([0, 8 << 20, 9 << 20]) == read([])


def dechunked(body):
    parts, at = [], 0
    while True:
        end = body.index(b"\r\n", at)
        n = int(body[at:end], 16)
        if n == 0:
            return b"".join(parts)
        parts.append(body[end + 2 : end + 2 + n])
        at = end + 2 + n + 2


# --------------------------------------------------------------------------------------------------------------- bodies


def answer_to_unfinished(url, start, body, n_bytes=1000):
    connection = hostile.send(hostile.connect(url), start + b"Content-Length: %d\r\n\r\n" % n_bytes + body[: n_bytes - 1])
    with contextlib.closing(connection):
        return b"".join(iter(lambda: connection.recv(4096), b""))


@pytest.mark.timeout(120)
@pytest.mark.parametrize("start_of_body", hostile.BODIES, ids=lambda body: body[0].split()[1].decode())
def test_a_body_without_end_is_a_408_on_every_address(start_server, folder, tmp_path, start_of_body):
    server = start(start_server, folder, tmp_path, body_ms=300)
    answer = answer_to_unfinished(server.url, *start_of_body)
    assert answer.startswith(b"HTTP/1.1 408 ") and b"came too slowly" in answer, answer
    assert b"connection: close" in answer.lower()


@pytest.mark.timeout(120)
def test_all_bodies_together_are_bounded_and_short_ones_are_always_taken(start_server, folder, tmp_path):
    server = start(start_server, folder, tmp_path, bodies_held_bytes=4 << 20, wait_ms=300)
    start_of_body, beginning = hostile.BODIES[0]
    body = beginning + b"1," * 100_000
    url = server.url
    ids = json.dumps({"fields": "gas.particle_ids", "ids": list(range(20_000))})
    with server.session() as session, contextlib.ExitStack() as stack:
        for _ in range(2):
            connection = stack.enter_context(contextlib.closing(hostile.connect(url)))
            hostile.send(connection, start_of_body + b"Content-Length: 10000000\r\n\r\n" + body)
        wait_until(lambda: session.counted("bodies_held_bytes") > 1 << 20)
        short = session.post("/v1/data/x.hdf5", json={"object": "/x", "rows": [[0, 1]], "format": "json"})
        assert (short.status_code, short.json()) == (200, [[0, 1, 2]])
        # Whoever needs the room gets it from those that do nothing; who holds it meanwhile is told to come again.
        wait_until(lambda: session.post("/v1/select/snapshot.hdf5", data=ids, headers={"Content-Type": "application/json"}).status_code == 200)
        assert session.counted("bodies_held_bytes") <= 4 << 20


def test_a_body_that_never_fits_is_a_413(start_server, folder, tmp_path):
    server = start(start_server, folder, tmp_path, bodies_held_bytes=1 << 20)
    ids = json.dumps({"fields": "gas.particle_ids", "ids": list(range(100_000))})
    with server.session() as session:
        answer = session.post("/v1/select/snapshot.hdf5", data=ids, headers={"Content-Type": "application/json"})
        assert answer.status_code == 413
        assert "all of them may" in answer.json()["detail"]


def test_no_large_body_before_the_caller_may_make_one(start_server, folder, tmp_path):
    """Wrong credentials are answered before any of the body has come."""
    server = start(start_server, folder, tmp_path)
    for start_of_body, _ in hostile.BODIES[:4]:
        lines = [line for line in start_of_body.split(b"\r\n") if line and not line.startswith(b"Authorization")]
        head = b"\r\n".join([*lines, b"Authorization: Bearer nonsense", b"Content-Length: 10000000", b"Expect: 100-continue", b"", b""])
        connection = hostile.send(hostile.connect(server.url), head)
        with contextlib.closing(connection):
            assert connection.recv(100).startswith(b"HTTP/1.1 401"), start_of_body


def test_a_preface_that_never_comes_is_given_up(start_server, folder, tmp_path):
    server = start(start_server, folder, tmp_path, head_ms=300)
    for beginning in (b"", b"PRI * HT"):
        with contextlib.closing(hostile.send(hostile.connect(server.url), beginning)) as connection:
            assert connection.recv(100) == b""
