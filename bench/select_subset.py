#!/usr/bin/env python3
"""A snapshot of a region: swiftsimio's `write_subset` through hdfstream, beside one request to /v1/select, both on loopback.

usage: bench/select_subset.py [--bin target/release/apus] [--rounds 7] [--copies 96]    (needs scripts/python-env's environment main)

Makes its snapshot as bench/hdfstream_session.py does. Then, in interleaved rounds: (a) wall time, server's CPU-seconds, requests and bytes of
the subset, made either way, and of `write_subset` on the local file; (b) the same for the rows that satisfy a condition, one in a hundred,
as npz, beside the whole fields. The first subsets and answers are compared with the true arrays. Writes JSON into bench/results/.
"""

import datetime
import io
import json
import pathlib
import statistics

import h5py
import hdfstream
import numpy as np
import requests
import swiftsimio
from comparison import machine
from hdfstream_session import cpu_seconds, parse_options, serving_a_snapshot, wall

RESULTS = pathlib.Path(__file__).resolve().parent / "results"
REGION = (0.1, 0.5)
CONDITION_FIELDS = ("Coordinates", "Velocities", "Masses", "Densities", "ParticleIDs")
GOAL = 10


def main():
    options = parse_options(__doc__, copies=96)
    with serving_a_snapshot(options) as (pid, url, path):
        session = Session(pid, url, path)
        session.check()
        medians = session.measure(options.rounds)
        size_bytes = path.stat().st_size
    result = {"date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"), "machine": machine.describe(options.bin), "rounds": options.rounds, "snapshot_bytes": size_bytes, "medians": medians}
    name = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H%M%S}-select-subset.json"
    (RESULTS / name).write_text(json.dumps(result, indent=1) + "\n")
    show(result)


class Session:
    """The works, on one server and one file."""

    def __init__(self, pid, url, path):
        self.pid, self.url, self.path = pid, url, path
        self.subset, self.unit = path.parent / "subset.hdf5", None
        with h5py.File(path) as f:
            side = f["Header"].attrs["BoxSize"]
            self.box = ",".join(f"{fraction * length!r}" for length in np.broadcast_to(side, 3).tolist() for fraction in REGION)
            self.fields = ",".join(f"{kind}.*" for kind in f if kind.startswith("PartType"))
            densities = f["PartType0/Densities"][...]
            self.threshold = float(np.sort(densities)[-(len(densities) // 100)])
            self.kept = densities >= self.threshold
        self.works = {
            "write_subset, local": lambda: self.write_subset(self.path),
            "write_subset, hdfstream": lambda: self.write_subset(hdfstream.open(f"{self.url}/hdfstream", self.path.name)),
            "/v1/select, format=hdf5": self.select_subset,
            "whole fields, npz": lambda: self.select_rows(False),
            "one row in a hundred, npz": lambda: self.select_rows(True),
        }

    def write_subset(self, source):
        mask = swiftsimio.mask(source)
        mask.constrain_spatial([[fraction * length for fraction in REGION] for length in mask.metadata.boxsize])
        self.subset.unlink(missing_ok=True)
        swiftsimio.subset_writer.write_subset(str(self.subset), mask)

    def select_subset(self):
        params = {"fields": self.fields, "box": self.box, "rows": "cells", "format": "hdf5"}
        with requests.get(f"{self.url}/v1/select/{self.path.name}", params=params, stream=True) as answer, open(self.subset, "wb") as f:
            answer.raise_for_status()
            for block in answer.iter_content(1 << 20):
                f.write(block)

    def select_rows(self, is_condition):
        params = {"fields": ",".join(f"/PartType0/{name}" for name in CONDITION_FIELDS)}
        if is_condition:
            # Comoving, in the unit of the file: its own numbers.
            params["where"] = f"densities >= {self.threshold!r} * {self.density_unit()} comoving"
        answer = requests.get(f"{self.url}/v1/select/{self.path.name}", params=params)
        answer.raise_for_status()
        return answer.content

    def density_unit(self):
        if self.unit is None:
            info = requests.get(f"{self.url}/v1/info/{self.path.name}").json()
            [name] = [field["unit"]["name"] for group in info["groups"] for field in group["fields"] if field["path"] == "/PartType0/Densities"]
            number, _, unit = name.partition("*") if name[0].isdigit() else ("1", "", name)
            self.unit = f"{number} {unit}"
        return self.unit

    def check(self):
        """Both subsets are the same, and contain the rows that numpy finds."""
        found = []
        for work in ("write_subset, local", "write_subset, hdfstream", "/v1/select, format=hdf5"):
            self.works[work]()
            with h5py.File(self.subset) as f:
                found.append({f"{kind}/{name}": f[kind][name][...] for kind in f if kind.startswith("PartType") for name in f[kind]})
        for other in found[1:]:
            assert other.keys() == found[0].keys() and len(other) > 10
            for name, values in found[0].items():
                np.testing.assert_array_equal(other[name].ravel(), values.ravel(), name)
        with h5py.File(self.path) as f, np.load(io.BytesIO(self.select_rows(True))) as rows:
            for name in CONDITION_FIELDS:
                np.testing.assert_array_equal(rows[f"/PartType0/{name}"], f["PartType0"][name][...][self.kept], name)

    def measure(self, rounds):
        figures = {name: [] for name in self.works}
        for _ in range(rounds):
            for name, work in self.works.items():
                before = cpu_seconds(self.pid)
                seconds = wall(work)
                figures[name].append({"wall_s": seconds, "server_cpu_s": cpu_seconds(self.pid) - before})
        medians = {name: {key: statistics.median(figure[key] for figure in found) for key in found[0]} for name, found in figures.items()}
        for name, work in self.works.items():
            medians[name] |= travelled(work)
        return medians


def travelled(work):
    """The requests that `work` sends, and the bytes of their answers."""
    answers, send = [], requests.Session.send

    def sending(self, request, **arguments):
        answers.append(send(self, request, **arguments))
        return answers[-1]

    requests.Session.send = sending
    try:
        work()
    finally:
        requests.Session.send = send
    return {"requests": len(answers), "answer_bytes": sum(answer.raw.tell() for answer in answers)}


def show(result):
    medians = result["medians"]
    print(f"snapshot of {result['snapshot_bytes'] / 1e6:.0f} MB, {result['rounds']} rounds, commit {result['machine']['commit']}")
    for name, median in medians.items():
        print(f"{name:28s} {median['wall_s'] * 1e3:9.1f} ms  server CPU {median['server_cpu_s'] * 1e3:8.1f} ms  {median['requests']:4d} requests  {median['answer_bytes'] / 1e6:9.2f} MB")
    afar, selected = medians["write_subset, hdfstream"], medians["/v1/select, format=hdf5"]
    print(f"write_subset over /v1/select: {afar['wall_s'] / selected['wall_s']:.1f} times the time, goal {GOAL}")
    whole, part = medians["whole fields, npz"], medians["one row in a hundred, npz"]
    print(f"bytes of one row in a hundred: {part['answer_bytes'] / whole['answer_bytes']:.2%} of all")


if __name__ == "__main__":
    main()
