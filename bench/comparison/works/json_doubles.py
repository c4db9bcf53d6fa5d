"""A million rows of three doubles as JSON."""

import json

import numpy as np

from ..http_client import measure
from ..work import Contender, Goal, Work, require


def works(bench):
    return [JsonDoubles(bench)]


class JsonDoubles(Work):
    name = "json"
    title = "doubles as JSON"

    def __init__(self, bench):
        self.bench = bench
        self.values = bench.files.truth[: bench.files.n_rows // 8]
        self.contenders = [
            Contender("apus", lambda check: self.read(bench.apus, [bench.apus.rows("plain.hdf5", "/json", format="json")], check)),
            Contender("h5grove", lambda check: self.read(bench.h5grove, bench.h5grove.rows("plain.hdf5", "/json", format="json"), check)),
        ]

    def read(self, server, requests, check):
        metrics, body = measure(server, requests, keep=check)
        if check:
            require(np.array_equal(np.array(json.loads(body)), self.values), server.name)
        return metrics | {"gb_per_core_s": self.values.nbytes / 1e9 / metrics["cpu_s"]}

    def goals(self, medians):
        return [Goal("GB of doubles per core-second", medians["apus"]["gb_per_core_s"], 0.25, True, "GB/s")]
