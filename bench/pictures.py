#!/usr/bin/env python3
"""Times pictures and histograms: a projection of a million particles beside swiftsimio's, a histogram beside reading the same fields.

    python bench/pictures.py [--rows N] [--pixels N] [--binary PATH]

Makes a snapshot of clustered gas from tests/data in a temporary folder. swiftsimio has its data in memory already, and its functions
compiled; Apus reads the file for every picture. A line of JSON for each measurement, the least of `--repeat`.
"""

import argparse
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

import h5py
import numpy as np

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
TEMPLATE = REPOSITORY / "demo" / "cosmic_web_0002.hdf5"
PORT = 8797
FIELDS = ("Coordinates", "Masses", "SmoothingLengths", "Densities", "Temperatures", "ParticleIDs")


def make(path, n_rows):
    """A snapshot of so many particles: those of the demonstration several times, each a little displaced."""
    random = np.random.default_rng(1)
    with h5py.File(TEMPLATE) as source, h5py.File(path, "w") as f:
        for name in ("Header", "Units", "Cosmology"):
            source.copy(name, f)
        gas = source["PartType0"]
        n = len(gas["Masses"])
        side = float(np.broadcast_to(source["Header"].attrs["BoxSize"], 3)[0])
        # The copies of a particle lie together, as particles of a cell do in files of SWIFT's.
        rows = np.sort(np.resize(np.arange(n), n_rows))
        copies = n_rows / n
        lengths = gas["SmoothingLengths"][...][rows]
        for name in FIELDS:
            values = gas[name][...][rows]
            if name == "Coordinates":
                values = (values + lengths[:, None] * random.normal(size=values.shape)) % side
            if name == "Masses":
                values /= copies
            if name == "SmoothingLengths":
                values /= copies ** (1 / 3)
            if name in ("Densities", "Temperatures"):
                values = values * (1 + 1e-2 * random.normal(size=values.shape))
            if name == "ParticleIDs":
                values = np.arange(n_rows, dtype=values.dtype)
            dataset = f.create_dataset(f"PartType0/{name}", data=values.astype(gas[name].dtype), chunks=(8192, *values.shape[1:]), compression=4, shuffle=True, fletcher32=True)
            for attribute, value in gas[name].attrs.items():
                dataset.attrs[attribute] = value
        counts = np.zeros(len(f["Header"].attrs["NumPart_ThisFile"]), "u4")
        counts[0] = n_rows
        f["Header"].attrs["CanHaveTypes"] = (counts > 0).astype("i4")
        for name in ("NumPart_ThisFile", "NumPart_Total"):
            f["Header"].attrs[name] = counts


def get(url):
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}{url}") as answer:
        return answer.read()


def cpu_seconds(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def least(repeat, work, clock=time.perf_counter):
    taken = []
    for _ in range(repeat):
        start = clock()
        work()
        taken.append(clock() - start)
    return min(taken)


def tell(**measurement):
    print(json.dumps({name: float(f"{value:.4g}") if isinstance(value, float) else value for name, value in measurement.items()}), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--pixels", type=int, default=1024)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--binary", default=REPOSITORY / "target" / "release" / "apus")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "data").mkdir()
        path = folder / "data" / "million.hdf5"
        make(path, options.rows)
        server = subprocess.Popen(
            [options.binary, "serve", folder / "data", "--listen", f"127.0.0.1:{PORT}", "--state", folder / "state"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        try:
            server.stdout.readline()
            measure(path, server, options)
        finally:
            server.terminate()
            server.wait()


def measure(path, server, options):
    import swiftsimio
    from swiftsimio.visualisation.projection import project_gas

    url = f"/v1/image/{path.name}?pixels={options.pixels}&format=npy"
    ours = np.load(io.BytesIO(get(url)))
    tell(what="image", of="apus, reading the file", seconds=least(options.repeat, lambda: get(url)))
    cpu = lambda: cpu_seconds(server)
    tell(what="image", of="apus, reading the file", cpu_seconds=least(options.repeat, lambda: get(url), cpu))
    read = f"/v1/select/{path.name}?fields=gas.coordinates,gas.masses,gas.smoothing_lengths&format=npz"
    tell(what="the same fields alone", of="apus", seconds=least(options.repeat, lambda: get(read)), cpu_seconds=least(options.repeat, lambda: get(read), cpu))

    data = swiftsimio.load(path)
    picture = lambda: project_gas(data, options.pixels, backend="fast", parallel=True)
    theirs = picture().value.T
    name = f"swiftsimio {swiftsimio.__version__}, fast, parallel"
    tell(what="image", of=f"{name}, in memory", seconds=least(options.repeat, picture))
    tell(what="image", of=f"{name}, in memory", cpu_seconds=least(options.repeat, picture, time.process_time))
    reading = lambda: project_gas(swiftsimio.load(path), options.pixels, backend="fast", parallel=True)
    tell(what="image", of=f"{name}, reading the file", seconds=least(options.repeat, reading))
    covered = theirs > 0
    difference = np.abs(ours[covered] / ours.sum() * theirs.sum() / theirs[covered] - 1)
    tell(what="largest relative difference", value=float(difference.max()))

    histogram = f"/v1/histogram/{path.name}?x=densities&y=temperatures&x_log=true&y_log=true&x_range=1e-2,1e6&y_range=1e1,1e9"
    for name, addresses in {
        "histogram of two fields": [histogram],
        "the two fields by /v1/data": [f"/v1/data/{path.name}?object=/PartType0/{field}&format=raw" for field in ("Densities", "Temperatures")],
    }.items():
        # Ticks are a hundredth of a second.
        taken = max(least(3, lambda: [get(address) for _ in range(20) for address in addresses], cpu), 0.01) / 20
        tell(what=name, rows_per_cpu_second=options.rows / taken)


if __name__ == "__main__":
    sys.exit(main())
