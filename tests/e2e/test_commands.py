"""The command line: inspect, check, and what serve says before it serves."""

import os
import resource
import shutil
import socket
import subprocess

import h5py
import numpy as np
import pytest

from apus_server import Server, binary, run
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
    checked = run("check", tmp_path / "nowhere.hdf5", home=tmp_path)
    assert checked.returncode == 1
    assert "nowhere.hdf5" in checked.stdout + checked.stderr


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
