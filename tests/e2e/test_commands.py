"""The command line: inspect, check, and what serve says before it serves."""

import os
import resource
import shutil
import socket
import subprocess

import h5py
import numpy as np
import pytest

from apus_server import Server, binary, clean_environment, run
from conftest import FILES_OF_MOUNT, TEST_DATA, compared

SNAPSHOT = TEST_DATA / "cosmo_box_lossy_nogzip.hdf5"


def test_help_tells_each_command_and_each_setting(tmp_path):
    overview = run("--help", home=tmp_path)
    assert overview.returncode == 0
    for command in ("serve", "demo", "inspect", "check", "user", "token"):
        assert f"  {command}" in overview.stdout
    serve = run("serve", "--help", home=tmp_path).stdout
    for name in ("--listen", "--config", "--state", "--public", "APUS_", "DB_URL", "JWT_SECRET_KEY", "apus.toml", ".env"):
        assert name in serve


def test_inspect_shows_what_a_file_holds(tmp_path):
    shown = run("inspect", SNAPSHOT, home=tmp_path)
    assert shown.returncode == 0, shown.stderr
    for word in ("snapshot", "gas", "PartType0", "Coordinates", "5832", "Mpc"):
        assert word in shown.stdout, word


@pytest.mark.parametrize("name", ["fof_catalogue.hdf5", "los.hdf5", "snipshot_subsampled.hdf5", "cosmo_box_virtual_lossy_0001.hdf5"])
def test_inspect_takes_every_kind(tmp_path, name):
    shown = run("inspect", TEST_DATA / name, home=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.strip()


def test_inspect_of_what_is_no_hdf5(tmp_path):
    (tmp_path / "text.hdf5").write_text("no HDF5")
    refused = run("inspect", tmp_path / "text.hdf5", home=tmp_path)
    assert refused.returncode == 1
    assert "text.hdf5" in refused.stderr
    assert "HDF5" in refused.stderr


@pytest.mark.parametrize("mount", FILES_OF_MOUNT)
def test_check_finds_every_file_sound(tmp_path, mount):
    files = FILES_OF_MOUNT[mount]
    checked = run("check", *files, home=tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    compared["files found sound by apus check"] += len(files)


def test_check_finds_the_damage(tmp_path):
    good, damaged, cut = tmp_path / "good.hdf5", tmp_path / "damaged.hdf5", tmp_path / "cut.hdf5"
    for path in (good, damaged, cut):
        shutil.copy(SNAPSHOT, path)
        path.chmod(0o644)
    with h5py.File(damaged) as f:
        x = f["PartType0/Velocities"].id
        chunk = x.get_chunk_info(x.get_num_chunks() - 1)
    with open(damaged, "r+b") as f:
        f.seek(chunk.byte_offset + chunk.size // 2)
        byte = f.read(1)
        f.seek(-1, 1)
        f.write(bytes([byte[0] ^ 0x10]))
    with open(cut, "r+b") as f:
        f.truncate(SNAPSHOT.stat().st_size - 100_000)
    checked = run("check", good, damaged, cut, home=tmp_path)
    assert checked.returncode == 1
    output = checked.stdout + checked.stderr
    assert "damaged.hdf5" in output
    assert "/PartType0/Velocities" in output
    assert "fletcher32" in output
    assert "cut.hdf5" in output
    assert run("check", good, home=tmp_path).returncode == 0


def test_check_of_what_is_not_there(tmp_path):
    for path, word in [(tmp_path / "nowhere.hdf5", "not found"), (tmp_path, "a folder"), ("/dev/null", "not a file")]:
        checked = run("check", path, home=tmp_path)
        assert checked.returncode == 2, "nothing is damaged"
        assert checked.stderr == f"apus: {path}: {word}" + ("; name the files in it\n" if word == "a folder" else "\n")
        assert "DAMAGED" not in checked.stdout
    # What is there is checked all the same, and damage counts more.
    checked = run("check", tmp_path / "nowhere.hdf5", SNAPSHOT, home=tmp_path)
    assert checked.returncode == 2 and f"{SNAPSHOT}: sound" in checked.stdout
    cut = tmp_path / "cut.hdf5"
    cut.write_bytes(SNAPSHOT.read_bytes()[:100_000])
    assert run("check", tmp_path / "nowhere.hdf5", cut, home=tmp_path).returncode == 1


@pytest.fixture
def house(tmp_path):
    """A home with accounts and tokens, and commands that print much or little."""
    state = ["--state", tmp_path / "state"]
    for i in range(5):
        assert run("user", "add", f"user{i}", "--no-password", *state, home=tmp_path).returncode == 0
        assert run("token", "create", "--user", f"user{i}", *state, home=tmp_path).returncode == 0
    return {
        "user list": ["user", "list", *state],
        "user audit": ["user", "audit", *state],
        "token list": ["token", "list", *state],
        "token create": ["token", "create", "--user", "user0", *state],
        "inspect": ["inspect", SNAPSHOT],
        "check": ["check", SNAPSHOT],
        "index": ["index", SNAPSHOT, *state],
    }


COMMANDS = ["user list", "user audit", "token list", "token create", "inspect", "check", "index"]


def run_into(home, stdout, arguments):
    """Runs a command whose output goes there; returns its exit status and what it said beside."""
    done = subprocess.run([str(binary()), *map(str, arguments)], env=clean_environment(home), cwd=home, stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=300)
    return done.returncode, done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_a_reader_that_has_gone_is_told_nothing(house, tmp_path, name):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        status, said = run_into(tmp_path, pipe, house[name])
    assert status == 128 + 13, said
    assert "panicked" not in said and "apus: " not in said


@pytest.mark.parametrize("name", COMMANDS)
def test_a_full_device_is_named(house, tmp_path, name):
    with open("/dev/full", "wb") as full:
        status, said = run_into(tmp_path, full, house[name])
    assert status == 1
    assert said.count("No space left on device") == 1 and "panicked" not in said, said
    assert "apus: cannot write to standard output: " in said


def test_a_token_that_nobody_has_seen_is_revoked(house, tmp_path):
    with open("/dev/full", "wb") as full:
        run_into(tmp_path, full, house["token create"])
    tokens = run(*house["token list"], home=tmp_path).stdout.splitlines()
    assert len(tokens) == 6 and sum("revoked" in line for line in tokens) == 1


def test_accounts_are_those_of_the_service_that_is_configured_here(tmp_path):
    (tmp_path / "apus.toml").write_text('state = "there"\n')
    added = run("user", "add", "somebody", "--no-password", home=tmp_path)
    assert added.returncode == 0
    assert added.stderr == f"state: {tmp_path / 'there'}\n"
    assert run("user", "list", home=tmp_path).stdout.startswith("somebody\t")
    assert not (tmp_path / "share").exists()
    # Named otherwise: by a flag, the environment, .env.
    other = tmp_path / "other"
    other.mkdir()
    (other / "apus.toml").write_text('state = "here"\n')
    assert run("user", "list", "--config", other / "apus.toml", home=tmp_path).stderr == f"state: {other / 'here'}\n"
    assert run("user", "list", home=tmp_path, APUS_CONFIG=str(other / "apus.toml")).stderr == f"state: {other / 'here'}\n"
    (tmp_path / ".env").write_text(f"APUS_STATE={tmp_path / 'env'}\n")
    assert run("token", "list", home=tmp_path).stderr == f"state: {tmp_path / 'env'}\n"
    assert run("token", "list", "--state", other / "flag", home=tmp_path).stderr == f"state: {other / 'flag'}\n"


@pytest.mark.parametrize(
    ("name", "text", "word"),
    [
        ("apus.toml", "[limits]\nconcurrent_read = 3\n", "unknown field `concurrent_read`"),
        ("apus.toml", "listen = \n", "apus.toml"),
        ("table.txt", None, "No such file or directory"),
        (None, None, "No such file or directory"),
    ],
)
def test_what_is_wrong_with_a_configuration_is_said_once(tmp_path, name, text, word):
    arguments = ["serve", "--config", tmp_path / "nowhere.toml"]
    if name == "apus.toml":
        (tmp_path / name).write_text(text)
        arguments = ["serve", TEST_DATA]
    elif name:
        (tmp_path / "apus.toml").write_text(f'[[mounts]]\nname = "a"\ntable = "{name}"\n')
        arguments = ["serve"]
    refused = run(*arguments, home=tmp_path)
    assert refused.returncode == 1
    assert refused.stderr.count(word) == 1, refused.stderr


@pytest.mark.parametrize("address", ["localhost:{}", "{}", "127.0.0.1:{}"])
def test_addresses_as_people_write_them(tmp_path, address):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = run("serve", TEST_DATA, "--listen", address.format(port), "--state", tmp_path / "state", home=tmp_path)
    assert f"cannot listen on 127.0.0.1:{port}" in refused.stderr, "it is understood, and taken"
    (tmp_path / "apus.toml").write_text(f"listen = {port}\nstate = 'state'\n")
    with socket.create_server(("127.0.0.1", port)):
        assert f"cannot listen on 127.0.0.1:{port}" in run("serve", TEST_DATA, home=tmp_path).stderr


@pytest.mark.parametrize(("address", "hint"), [("0.0.0.0", "0.0.0.0:8000"), ("example.org:80", "ADDRESS:PORT"), ("localhost", "ADDRESS:PORT")])
def test_addresses_that_are_none(tmp_path, address, hint):
    refused = run("serve", TEST_DATA, "--listen", address, home=tmp_path)
    assert refused.returncode == 2 and hint in refused.stderr
    (tmp_path / "apus.toml").write_text(f'listen = "{address}"\n')
    refused = run("serve", TEST_DATA, home=tmp_path)
    assert refused.returncode == 1 and hint in refused.stderr


def test_serve_of_a_folder_that_is_not_there(tmp_path):
    refused = run("serve", tmp_path / "nowhere", "--listen", "127.0.0.1:0", home=tmp_path)
    assert refused.returncode == 1
    assert "nowhere" in refused.stderr


def test_serve_of_nothing(tmp_path):
    refused = run("serve", "--listen", "127.0.0.1:0", home=tmp_path)
    assert refused.returncode != 0
    assert refused.stderr.strip()


def test_serve_does_not_open_everything_to_the_network(tmp_path):
    refused = run("serve", TEST_DATA, "--listen", "0.0.0.0:0", "--state", tmp_path / "state", home=tmp_path)
    assert refused.returncode == 1
    assert "--public" in refused.stderr


def test_serve_where_somebody_listens_already(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        refused = run("serve", TEST_DATA, "--listen", address, "--state", tmp_path / "state", home=tmp_path)
    assert refused.returncode == 1
    assert address in refused.stderr


def test_a_setting_that_is_not_known(tmp_path):
    (tmp_path / "apus.toml").write_text('listne = "127.0.0.1:0"\n')
    refused = run("serve", TEST_DATA, "--config", tmp_path / "apus.toml", home=tmp_path)
    assert refused.returncode == 1
    assert "listne" in refused.stderr


def limited(server, n_descriptors):
    """The server under a hard limit of descriptors."""
    server.arguments = ["sh", "-c", f'ulimit -n {n_descriptors}; exec "$0" "$@"', *server.arguments]
    return server


def test_serve_raises_the_soft_limit_of_descriptors(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        server = Server({"": TEST_DATA}, tmp_path / "home")
        with server:
            assert resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)[0] == min(4096 + 128 + 256 + 64, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_serve_with_few_descriptors_takes_fewer_connections(tmp_path):
    """Those that it takes are answered, and those that have to wait are when others go."""
    with limited(Server({"": TEST_DATA}, tmp_path / "home"), 480) as server:
        server.wait_for("ulimit -n")
        address = ("127.0.0.1", int(server.url.rstrip("/").rpartition(":")[2]))
        held = [socket.create_connection(address) for _ in range(32)]
        with socket.create_connection(address) as late:
            late.sendall(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n")
            late.settimeout(0.3)
            with pytest.raises(TimeoutError):
                late.recv(12)
            for connection in held:
                connection.close()
            late.settimeout(30)
            assert late.recv(12) == b"HTTP/1.1 200"


def test_serve_does_not_start_where_files_take_all_descriptors(tmp_path):
    server = limited(Server({"": TEST_DATA}, tmp_path / "home"), 400)
    refused = subprocess.run(server.arguments, env=server.environment, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert refused.returncode == 1
    assert "ulimit -n grants 400" in refused.stderr


def test_one_folder_without_a_name_is_the_root(start_server, tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as f:
        f["x"] = np.arange(3)
    server = start_server({"": tmp_path})
    with server.session() as session:
        assert session.get("/v1/data/x.h5", params={"object": "/x", "format": "json"}).json() == [0, 1, 2]


def test_settings_from_the_environment_and_the_file(start_server, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    with h5py.File(folder / "x.h5", "w") as f:
        f["x"] = np.zeros(1000)
    config = tmp_path / "apus.toml"
    config.write_text(f'[[mounts]]\nname = "by_file"\npath = "{folder}"\n\n[limits]\nanswer_bytes = 100\n')
    with start_server({}, "--config", config).session() as session:
        assert session.get("/v1/data/by_file/x.h5", params={"object": "/x"}).status_code == 413
    with start_server({}, "--config", config, APUS_ANSWER_BYTES="8000").session() as session:
        assert session.get("/v1/data/by_file/x.h5", params={"object": "/x"}).status_code == 200


def test_check_lets_go_of_each_file(tmp_path):
    """Files that were checked are closed: many more can be checked than may be open at once."""
    source = TEST_DATA / "fof_catalogue.hdf5"
    files = []
    for i in range(80):
        folder = tmp_path / str(i)
        folder.mkdir()
        files.append(folder / "catalogue.hdf5")
        os.link(source, files[-1]) if os.stat(source).st_dev == os.stat(folder).st_dev else shutil.copy(source, files[-1])

    def limit_open_files():
        resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48))

    done = subprocess.run([binary(), "check", *map(str, files)], capture_output=True, text=True, timeout=120, preexec_fn=limit_open_files)
    assert done.returncode == 0, done.stderr + done.stdout
