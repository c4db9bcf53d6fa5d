#!/usr/bin/env python3
"""The older API's most expensive request, compared with the older service: a whole dataset of (N, 3) doubles as JSON.

usage: bench/swiftdata_json.py [--bin target/release/apus] [--rounds 5]        (needs h5py, numpy, requests: scripts/python-env)

Makes its file, starts the binary on loopback with one account, and prints server CPU, wall time, time to the first byte and peak memory
as medians over the rounds. The first answer is compared with the true array. The older service's figures were taken once, on a busy
machine of two cores (gzip, 1M rows): 4.0 s of CPU, 10.3 s of wall time, 733 MiB.
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import time

import h5py
import numpy as np
import requests

OLDER = {"cpu_s": 4.0, "wall_s": 10.3, "peak_mib": 733}
N_ROWS = 1_000_000


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", default="target/release/apus", type=pathlib.Path)
    parser.add_argument("--rounds", default=5, type=int)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        truth = np.random.default_rng(1).random((N_ROWS, 3)) * 100
        with h5py.File(folder / "data.hdf5", "w") as f:
            f.create_dataset("PartType0/Coordinates", data=truth, chunks=(8192, 3), compression="gzip", shuffle=True, fletcher32=True)
        state = folder / "state"
        subprocess.run([options.bin, "user", "add", "bench", "--password-stdin", "--state", state], input="a long password", text=True, check=True, stdout=subprocess.DEVNULL)
        server = subprocess.Popen([options.bin, "serve", f"data={folder}", "--listen", "127.0.0.1:0", "--state", state], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            url = next(found[0] for line in server.stdout if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
            report(measure(server.pid, url, truth, options.rounds))
        finally:
            server.terminate()
            server.wait(30)


def measure(pid, url, truth, rounds):
    token = requests.post(f"{url}/token", json={"username": "bench", "password": "a long password"}, timeout=60).json()["access_token"]
    body = {"data_spec": {"filename": "data/data.hdf5", "field": "PartType0/Coordinates"}}
    session = requests.Session()
    session.trust_env = False
    figures = {"cpu_s": [], "wall_s": [], "first_byte_s": [], "peak_mib": [], "body_mb": []}
    for i in range(rounds + 1):
        cpu, begin = cpu_seconds(pid), time.perf_counter()
        with session.post(f"{url}/swiftdata/unmasked_dataset", json=body, headers={"Authorization": f"Bearer {token}"}, stream=True, timeout=300) as answer:
            answer.raise_for_status()
            pieces = [answer.raw.read(1)]
            first_byte = time.perf_counter() - begin
            while piece := answer.raw.read(1 << 20):
                pieces.append(piece)
        wall = time.perf_counter() - begin
        text = b"".join(pieces)
        if i == 0:
            np.testing.assert_array_equal(np.array(json.loads(text)["array"]), truth)
            continue
        for name, value in zip(figures, (cpu_seconds(pid) - cpu, wall, first_byte, peak_mib(pid), len(text) / 1e6)):
            figures[name].append(value)
    return {name: statistics.median(values) for name, values in figures.items()}


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mib(pid):
    return int(re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) / 1024


def report(figures):
    for name, value in figures.items():
        older = f"   older service {OLDER[name]:6.1f}, ratio {OLDER[name] / value:5.1f}" if name in OLDER else ""
        print(f"{name:14s} {value:8.3f}{older}")


if __name__ == "__main__":
    main()
