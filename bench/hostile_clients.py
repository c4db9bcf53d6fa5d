"""What others notice of hostile clients: how long a few rows take, quiet and under each attack, and the memory of the service.

    APUS_BIN=target/release/apus target/python/main/bin/python bench/hostile_clients.py [ATTACK ...] [--scale 1.0]

Attacks are those of tests/e2e/hostile.py in their full number: 400 clients that read nothing, 2,000 slow readers, 2,000 slow heads, 150
unfinished bodies, four abandoned monsters, 1,000 wrong logins, HTTP/2 zero windows and rapid resets. Each has a service of its own. After the
bystander's 300 requests the attackers go, and the memory that is left is told; then the attack begins again, and the service is told to stop.
"""

import argparse
import inspect
import pathlib
import subprocess
import sys
import tempfile
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests" / "e2e"))

import hostile  # noqa: E402
from apus_server import Server, binary  # noqa: E402

TEMPLATE = REPOSITORY / "tests" / "data" / "cosmo_box_gzip_v1.0.0.hdf5"
SHUTDOWN_MS = 5_000


def begin(attack, server, scale):
    n = inspect.signature(attack).parameters["n"].default
    return attack(server.url, n=max(1, round(n * scale)))


def measure(name, folder, scale):
    with tempfile.TemporaryDirectory() as home:
        home = pathlib.Path(home)
        (home / "apus.toml").write_text(f'state = "{home / "state"}"\n[limits]\nshutdown_ms = {SHUTDOWN_MS}\n')
        added = subprocess.run(
            [binary(), "user", "add", hostile.NAME, "--password-stdin", "--state", home / "state"], input=f"{hostile.PASSWORD}\n",
            text=True, capture_output=True, cwd=home,
        )
        assert added.returncode == 0, added.stderr
        server = Server({"": folder}, home, ["--config", home / "apus.toml"])
        server.__enter__()
        hostile.Bystander(server, 50).ask()
        quiet = hostile.Bystander(server).ask()
        before = hostile.resident_bytes(server)
        attack = hostile.ATTACKS[name]
        with begin(attack, server, scale):
            meanwhile = hostile.Bystander(server).ask()
        time.sleep(5)
        after = hostile.resident_bytes(server)
        peak = hostile.resident_bytes(server, "VmHWM")
        with begin(attack, server, scale):
            begun = time.monotonic()
            server.process.terminate()
            try:
                server.process.wait(SHUTDOWN_MS / 1000 + 10)
                stopped = f"{time.monotonic() - begun:.2f} s"
            except subprocess.TimeoutExpired:
                stopped = "did not"
                server.process.kill()
        mib = [f"{n >> 20:5d}" for n in (before, peak, after)]
        print(
            f"{name:20} p50 {quiet.milliseconds(0.5):7.1f} -> {meanwhile.milliseconds(0.5):7.1f} ms  p99 {quiet.milliseconds(0.99):7.1f} -> "
            f"{meanwhile.milliseconds(0.99):7.1f} ms  refused {len(meanwhile.faults):3d}  RSS {mib[0]} peak {mib[1]} after {mib[2]} MiB  stop {stopped}",
            flush=True,
        )
        for fault in meanwhile.faults[:2]:
            print("   ", fault)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("attacks", nargs="*", default=list(hostile.ATTACKS))
    parser.add_argument("--scale", type=float, default=1.0)
    arguments = parser.parse_args()
    hostile.allow_many_sockets()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        hostile.make_data(folder)
        hostile.make_snapshot(folder, TEMPLATE)
        for name in arguments.attacks:
            measure(name, folder, arguments.scale)


if __name__ == "__main__":
    main()
