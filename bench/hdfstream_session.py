#!/usr/bin/env python3
"""A session of swiftsimio through the hdfstream protocol on loopback, beside the same session on the local file.

usage: bench/hdfstream_session.py [--bin target/release/apus] [--rounds 7] [--copies 64]    (needs scripts/python-env's environment main)

Makes its snapshot: a real one of 14^3 particles of gas and as many of dark matter, each row many times over with noise, chunked and filtered as SWIFT does, cells adjusted.
Then, in interleaved rounds: (a) the wall time of `swiftsimio.load`, and of `mask` + `load` + one masked field, from afar and locally;
(b) the CPU-seconds that the server takes for the recorded requests of a session (load, mask, fields of a region, a whole field), beside
those of this process for the same reads with h5py. The first answers are compared with the true arrays.
"""

import argparse
import contextlib
import http.client
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import time
import urllib.parse

import h5py
import hdfstream
import msgpack
import numpy as np
import requests
import swiftsimio

TEMPLATE = pathlib.Path(__file__).resolve().parents[1] / "tests/data/cosmo_box_gzip_v1.0.0.hdf5"
FIELDS = ("coordinates", "velocities", "masses", "densities", "temperatures", "particle_ids")
REPLAYS = 10


def main():
    options = parse_options(__doc__, copies=64)
    with serving_a_snapshot(options) as (pid, url, path):
        measure(pid, url, path, options.rounds)


def parse_options(doc, copies):
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--bin", default="target/release/apus", type=pathlib.Path)
    parser.add_argument("--rounds", default=7, type=int)
    parser.add_argument("--copies", default=copies, type=int)
    return parser.parse_args()


@contextlib.contextmanager
def serving_a_snapshot(options):
    """Serves a temporary snapshot: the process, its address, the file."""
    hdfstream.disable_progress(True)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "snapshot.hdf5"
        make_snapshot(path, options.copies)
        server = subprocess.Popen([options.bin, "serve", folder, "--listen", "127.0.0.1:0", "--state", f"{folder}/state"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            url = next(found[0] for line in server.stdout if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
            yield server.pid, url, path
        finally:
            server.terminate()
            server.wait(30)


def make_snapshot(path, copies):
    random = np.random.default_rng(1)
    with h5py.File(TEMPLATE) as source, h5py.File(path, "w") as f:
        for name, value in source.attrs.items():
            f.attrs[name] = value
        for name in source:
            if isinstance(source.get(name, getlink=True), h5py.SoftLink):
                f[name] = h5py.SoftLink(source.get(name, getlink=True).path)
            elif not name.startswith("PartType"):
                source.copy(name, f)
            else:
                enlarge(source[name], f.create_group(name), copies, random)
        for name in ("NumPart_ThisFile", "NumPart_Total"):
            f["Header"].attrs[name] = f["Header"].attrs[name] * copies
        for kind in ("Counts", "Offsets", "OffsetsInFile"):
            for counts in f["Cells"].get(kind, {}).values():
                counts[...] = counts[...] * copies


def enlarge(source, group, copies, random):
    """Each row `copies` times: cells stay together. Noise keeps the copies from compressing better than real values."""
    for name, value in source.attrs.items():
        group.attrs[name] = value * copies if name == "NumberOfParticles" else value
    for name, item in source.items():
        values = np.repeat(item[...], copies, axis=0)
        if values.dtype.kind == "f":
            values = (values * (1 + 1e-3 * random.random(values.shape))).astype(values.dtype)
        elif name == "ParticleIDs":
            values = np.arange(1, len(values) + 1, dtype=values.dtype)
        chunks = (min(len(values), 1 << 14), *values.shape[1:])
        dataset = group.create_dataset(name, data=values, chunks=chunks, compression=4, shuffle=True, fletcher32=True)
        for attribute, value in item.attrs.items():
            dataset.attrs[attribute] = value


def one_field(source):
    mask = swiftsimio.mask(source)
    mask.constrain_spatial([[0.1 * length, 0.5 * length] for length in mask.metadata.boxsize])
    return np.asarray(swiftsimio.load(source, mask=mask).gas.coordinates)


def session(source):
    """A typical session: the whole of one field, then several fields of a region."""
    data = swiftsimio.load(source)
    found = [np.asarray(data.dark_matter.coordinates)]
    mask = swiftsimio.mask(source)
    mask.constrain_spatial([[-0.2 * length, 0.3 * length] for length in mask.metadata.boxsize])
    region = swiftsimio.load(source, mask=mask)
    return found + [np.asarray(getattr(region.gas, field)) for field in FIELDS if hasattr(region.gas, field)]


def measure(pid, url, path, rounds):
    def remote():
        return hdfstream.open(f"{url}/hdfstream", path.name)

    # The files are in the page cache, and the answers right, before anything is timed.
    np.testing.assert_array_equal(one_field(remote()), one_field(path))
    recorded = record(lambda: session(remote()))
    for there, here in zip(session(remote()), session(path), strict=True):
        np.testing.assert_array_equal(there, here)
    check_replayed(url, path, recorded)

    figures = {name: [] for name in ("load, afar", "load, local", "one field, afar", "one field, local", "replay, server CPU", "replay, h5py CPU", "one field, server CPU")}
    for _ in range(rounds):
        figures["load, afar"].append(wall(lambda: swiftsimio.load(remote())))
        figures["load, local"].append(wall(lambda: swiftsimio.load(path)))
        before = cpu_seconds(pid)
        figures["one field, afar"].append(wall(lambda: one_field(remote())))
        figures["one field, server CPU"].append(cpu_seconds(pid) - before)
        figures["one field, local"].append(wall(lambda: one_field(path)))
        before = cpu_seconds(pid)
        for _ in range(REPLAYS):
            replay(url, recorded)
        figures["replay, server CPU"].append((cpu_seconds(pid) - before) / REPLAYS)
        before = time.process_time()
        read_with_h5py(path, recorded)
        figures["replay, h5py CPU"].append(time.process_time() - before)
    medians = {name: statistics.median(values) for name, values in figures.items()}
    print(f"{path.stat().st_size / 1e6:.0f} MB, {len(recorded)} requests, {rounds} rounds")
    for name, value in medians.items():
        print(f"{name:24s} {value * 1e3:9.1f} ms")
    print(f"load: afar / local                {medians['load, afar'] / medians['load, local']:6.2f}   goal 1.3")
    print(f"load and one field: afar / local  {medians['one field, afar'] / medians['one field, local']:6.2f}   goal 1.5")
    print(f"replay: h5py CPU / server CPU     {medians['replay, h5py CPU'] / max(medians['replay, server CPU'], 1e-4):6.2f}   goal 10")


def record(work):
    """The requests that `work` sends: (method, path, body)."""
    requests_sent, send = [], requests.Session.send

    def sending(self, request, **arguments):
        requests_sent.append((request.method, request.path_url, request.body or b""))
        return send(self, request, **arguments)

    requests.Session.send = sending
    try:
        work()
    finally:
        requests.Session.send = send
    return requests_sent


def replay(url, recorded):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc)
    headers = {"Content-Type": "application/x-msgpack", "Accept-Encoding": "gzip, deflate", "Accept": "*/*"}
    bodies = []
    for method, path, body in recorded:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        assert answer.status == 200, (path, answer.status)
        bodies.append(answer.read())
    connection.close()
    return bodies


def check_replayed(url, path, recorded):
    with h5py.File(path) as f:
        for (_, _, body), answer in zip(recorded, replay(url, recorded)):
            asked = msgpack.unpackb(body) if body else {}
            if "slice" in asked:
                assert b"".join(msgpack.unpackb(answer)["data"]) == read_slices(f, asked).tobytes(), asked["object"]


def read_with_h5py(path, recorded):
    """The same reads in Python: each description as h5py tells it, each range of rows read into one array."""
    with h5py.File(path) as f:
        for _, _, body in recorded:
            asked = msgpack.unpackb(body) if body else {}
            if "slice" in asked:
                read_slices(f, asked)
            elif "object" in asked:
                describe(f[asked["object"]], asked)


def describe(item, asked):
    found = {"attributes": dict(item.attrs)}
    if isinstance(item, h5py.Dataset):
        data = item[...] if item.nbytes <= asked["data_size_limit"] else None
        return found | {"type": item.dtype.str, "shape": item.shape, "data": data}
    links = {name: item.get(name, getlink=True) for name in item}
    return found | {"members": {name: link.path if isinstance(link, h5py.SoftLink) else describe(item[name], asked) for name, link in links.items()}}


def read_slices(f, asked):
    dataset, (rows, *inner) = f[asked["object"]], asked["slice"]
    starts, counts = np.atleast_1d(rows[0]), np.atleast_1d(rows[1])
    counts = np.broadcast_to(counts, starts.shape)
    others = tuple(slice(start, start + count) for start, count in inner)
    out = np.empty((counts.sum(), *(count for _, count in inner)), dataset.dtype)
    at = 0
    for start, count in zip(starts.tolist(), counts.tolist()):
        if count:
            dataset.read_direct(out, (slice(start, start + count), *others), slice(at, at + count))
        at += count
    return out


def wall(work):
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
