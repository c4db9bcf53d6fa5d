"""The state file: survives being killed, is migrated and never lost, and is nobody else's to read."""

import hashlib
import os
import pathlib
import random
import signal
import sqlite3
import stat
import subprocess
import time

import pytest
import requests

from accounts import add_user, bearer, command, create_token, jwt_of
from apus_server import Server, binary, clean_environment
from conftest import TEST_DATA, compared

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
FIRST_SCHEMA = REPOSITORY / "crates" / "apus" / "migrations" / "0001_accounts.sql"
KILLS = 150
# Made with argon2-cffi: PasswordHasher(time_cost=1, memory_cost=1024, parallelism=2).hash("builder").
HASH = "$argon2id$v=19$m=1024,t=1,p=2$nDdcqp6ejg/QYfIaA1YhTQ$RWlbiF/Ydc6KUyT4ohp1ne3ytqn0nuEF2sF3Wv9OsMs"


def test_killed_at_any_instant_no_change_is_lost_or_half_done(tmp_path):
    """Many times: a change is begun and the process killed at a random instant. What was reported as done is there; nothing is torn."""
    add_user(tmp_path, "steady", "wonderland", "core")
    state = tmp_path / "state"
    draw = random.Random(7)
    done, maybe, n_killed = set(), set(), 0
    # The shortest of several: one that something else held up would let most of the processes end before they are killed.
    usual = min(seconds_of(lambda: command(tmp_path, "user", "add", f"first{n}", "--no-password")) for n in range(5))
    for n in range(KILLS):
        name = f"user{n}"
        process = subprocess.Popen(
            [binary(), "user", "add", name, "--no-password", "--role", "a", "--role", "b", "--state", state], env=clean_environment(tmp_path),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            process.wait(draw.uniform(0.2, 1.1) * usual)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            n_killed += 1
        code = process.wait()
        (done if code == 0 else maybe).add(name)
        assert code in (0, -signal.SIGKILL), (name, code)
    assert n_killed > KILLS // 10, "the processes ended before they could be killed"
    listed = {line.split("\t")[0]: line.split("\t")[3] for line in command(tmp_path, "user", "list").stdout.splitlines()}
    assert done <= set(listed) <= done | maybe | {"steady", *(f"first{n}" for n in range(5))}
    # An account is there with all its roles or not at all.
    assert {roles for name, roles in listed.items() if name.startswith("user")} <= {"a b"}
    with sqlite3.connect(f"file:{state / 'apus.sqlite'}?mode=ro", uri=True) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        audited = {row[0] for row in database.execute("SELECT account FROM audit WHERE action = 'account added'")}
        assert audited == set(listed)
    with Server({"": TEST_DATA}, tmp_path) as server:
        jwt_of(server.url, "steady", "wonderland")
    compared["kills in the middle of a change that the state file survived"] += n_killed


def seconds_of(work):
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def test_a_killed_service_loses_nothing(tmp_path):
    """Changes by a command while a service has the file open, and the service killed."""
    for n in range(5):
        server = Server({"": TEST_DATA}, tmp_path)
        server.__enter__()
        add_user(tmp_path, f"user{n}", "wonderland")
        token, _ = create_token(tmp_path, f"user{n}")
        assert requests.get(f"{server.url}protected/", headers=bearer(token), timeout=60).status_code == 200
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
    assert len(command(tmp_path, "user", "list").stdout.splitlines()) == 5
    assert len(command(tmp_path, "token", "list").stdout.splitlines()) == 5


@pytest.fixture
def older_state(tmp_path):
    """A state file as the first version of the schema had it, written by SQLite itself."""
    state = tmp_path / "state"
    state.mkdir()
    sql = FIRST_SCHEMA.read_text()
    with sqlite3.connect(state / "apus.sqlite") as database:
        database.execute("CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, installed_on TIMESTAMP NOT NULL"
                         " DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, checksum BLOB NOT NULL, execution_time BIGINT NOT NULL)")  # fmt: skip
        database.executescript(sql)
        database.execute("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (1, 'accounts', 1, ?, 1)",
                         [hashlib.sha384(sql.encode()).digest()])  # fmt: skip
        database.execute("INSERT INTO accounts VALUES ('bob', ?, 1700000000, 1700000000)", [HASH])
        database.execute("INSERT INTO account_roles VALUES ('bob', 'core')")
        database.execute("INSERT INTO keys VALUES ('jwt', ?, 1700000000)", [b"k" * 32])
    return state


def test_an_older_state_file_is_migrated(tmp_path, older_state):
    listed = command(tmp_path, "user", "list").stdout
    assert listed.split("\t")[0] == "bob" and "core" in listed
    copy = older_state / "apus.sqlite.schema-1"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with sqlite3.connect(f"file:{copy}?mode=ro", uri=True) as database:
        assert database.execute("SELECT name, password_hash FROM accounts").fetchall() == [("bob", HASH)]
    create_token(tmp_path, "bob")
    with Server({"": TEST_DATA}, tmp_path) as server:
        assert requests.get(f"{server.url}protected/", headers=bearer(jwt_of(server.url, "bob", "builder")), timeout=60).json() == {"User": "bob"}


def test_a_newer_state_file_is_left_alone(tmp_path):
    add_user(tmp_path, "alice", "wonderland")
    path = tmp_path / "state" / "apus.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (99, 'later', 1, x'00', 1)")
    refused = command(tmp_path, "user", "list", check=False)
    assert refused.returncode == 1 and "99" in refused.stderr
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT name FROM accounts").fetchall() == [("alice",)]


def test_a_file_that_is_no_state_is_not_touched(tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    (state / "apus.sqlite").write_bytes(b"something else, which is dear to somebody" * 100)
    refused = command(tmp_path, "user", "list", check=False)
    assert refused.returncode == 1
    assert (state / "apus.sqlite").read_bytes() == b"something else, which is dear to somebody" * 100


def test_nobody_else_may_read_it(tmp_path):
    old = os.umask(0)
    try:
        add_user(tmp_path, "alice", "wonderland")
        with Server({"": TEST_DATA}, tmp_path) as server:
            jwt_of(server.url, "alice", "wonderland")
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").iterdir()}
    finally:
        os.umask(old)
    assert set(modes.values()) == {0o600} and "apus.sqlite" in modes, modes
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    # A file that was made readable by hand is closed again.
    (tmp_path / "state" / "apus.sqlite").chmod(0o644)
    command(tmp_path, "user", "list")
    assert stat.S_IMODE((tmp_path / "state" / "apus.sqlite").stat().st_mode) == 0o600


def test_secrets_are_not_in_the_file(tmp_path):
    add_user(tmp_path, "alice", "wonderland is where she is")
    token, _ = create_token(tmp_path, "alice")
    kept = b"".join(path.read_bytes() for path in (tmp_path / "state").iterdir())
    assert b"wonderland" not in kept and token.encode() not in kept and b"$argon2id$" in kept


def test_commands_say_what_is_wrong(tmp_path):
    add_user(tmp_path, "alice", "wonderland")
    for arguments in (("user", "add", "alice", "--no-password"), ("user", "remove", "bob"), ("user", "passwd", "bob", "--password-stdin"), ("token", "create", "--user", "bob"),
                      ("token", "revoke", "0123456789"), ("user", "add", "a:b", "--no-password"), ("user", "add", "carol", "--no-password", "--role", "a b"),
                      ("token", "create", "--user", "alice", "--scope", "write"), ("token", "create", "--user", "alice", "--expires", "soon")):  # fmt: skip
        refused = command(tmp_path, *arguments, stdin="x\n", check=False)
        assert refused.returncode != 0 and refused.stderr.strip(), arguments
    assert command(tmp_path, "user", "list").stdout.count("\n") == 1
