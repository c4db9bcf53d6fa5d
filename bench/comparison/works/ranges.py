"""Sorted ranges of rows, as a region gives them: many cells, 300 to 30,000 rows each."""

import hashlib

import numpy as np

from ..files import COORDINATES
from ..http_client import measure
from ..work import Contender, Goal, Work, require

SHORTEST, LONGEST = 300, 30_000


def works(bench):
    return [
        Ranges(bench, n, *where)
        for n in (1_000, 10_000)
        for where in (("gzip", "field.hdf5", COORDINATES, 5), ("chunked", "plain.hdf5", "/chunked", 2), ("contiguous", "plain.hdf5", "/contiguous", 2))
    ]


def sorted_ranges(n_ranges, n_rows, seed=5):
    """Disjoint ranges, lengths between the shortest and the longest with a steep power law, as much of the rows as fits."""
    rng = np.random.default_rng(seed)
    share = min(0.75, n_ranges * 1_833 / n_rows)  # 1,000 ranges have 44 MB
    exponent = 2.5
    shortest = min(SHORTEST, n_rows * share / n_ranges / 2)
    for _ in range(40):  # the exponent that gives the share
        u = np.random.default_rng(seed).random(n_ranges)
        a, b = shortest**-exponent, LONGEST**-exponent
        lengths = np.maximum((a + u * (b - a)) ** (-1 / exponent), 1).astype(int)
        exponent *= (lengths.sum() / (n_rows * share)) ** 0.5
    while lengths.sum() > n_rows:
        lengths = np.maximum(lengths * 9 // 10, 1)
    gaps = rng.multinomial(n_rows - lengths.sum(), np.full(n_ranges + 1, 1 / (n_ranges + 1)))[:-1]
    begins = np.cumsum(gaps) + np.cumsum(lengths) - lengths
    return [(int(a), int(a + length)) for a, length in zip(begins, lengths)]


class Ranges(Work):
    """One request to Apus; one selection of the library, or a loop, in h5py; a request for each range to h5grove."""

    def __init__(self, bench, n_ranges, way, file, dataset, factor):
        self.bench, self.file, self.dataset, self.factor, self.way, self.n_ranges = bench, file, dataset, factor, way, n_ranges
        self.name = f"ranges-{n_ranges}-{way}"
        self.ranges = sorted_ranges(n_ranges, bench.files.n_rows)
        self.n_bytes = sum(b - a for a, b in self.ranges) * 24
        self.title = f"{n_ranges:,} ranges of rows, {self.n_bytes / 1e6:.0f} MB, {way}"
        self.sha256 = None
        self.contenders = [Contender("apus", self.read_apus), Contender("h5py union", self.h5py("union"), 3), Contender("h5py loop", self.h5py("loop"), 3)]
        if way == "gzip" or n_ranges == 1_000:
            self.contenders.append(Contender("h5grove", self.read_h5grove, 1))

    def wanted(self):
        if self.sha256 is None:
            truth = self.bench.files.truth
            self.sha256 = hashlib.sha256(np.concatenate([truth[a:b] for a, b in self.ranges])).hexdigest()
        return self.sha256

    def read_apus(self, check):
        metrics, body = measure(self.bench.apus, [self.bench.apus.rows(self.file, self.dataset, self.ranges)], keep=check)
        if check:
            require(hashlib.sha256(body).hexdigest() == self.wanted(), "apus")
        return metrics

    def read_h5grove(self, check):
        # The check reads a part: each of its thousands of answers takes milliseconds.
        ranges = self.ranges[:50] if check else self.ranges
        metrics, body = measure(self.bench.h5grove, self.bench.h5grove.rows(self.file, self.dataset, ranges), keep=check)
        if check:
            truth = self.bench.files.truth
            require(body == b"".join(truth[a:b].tobytes() for a, b in ranges), "h5grove")
        return metrics

    def h5py(self, way):
        def run(check):
            metrics = self.bench.worker.ask(way, file=self.bench.path(self.file), dataset=self.dataset, ranges=self.ranges, digest=check)
            if check:
                require(metrics.pop("sha256") == self.wanted(), f"h5py {way}")
            return metrics | {"bytes": self.n_bytes}

        return run

    def goals(self, medians):
        best = min((name for name in medians if name.startswith("h5py")), key=lambda name: medians[name]["cpu_s"])
        goals = [Goal(f"CPU-seconds of {best} over Apus's", medians[best]["cpu_s"] / medians["apus"]["cpu_s"], self.factor, True, "x")]
        if self.n_ranges == 1_000 and self.way == "gzip":
            goals.append(Goal("seconds for the answer", medians["apus"]["wall_s"], 0.05, False, "s"))
        return goals
