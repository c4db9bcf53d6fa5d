"""A region of a snapshot with 64^3 cells, asked of a server that has only just started."""

import hashlib
import io
import urllib.parse

import numpy as np

from ..files import BOX_SIZE
from ..http_client import measure
from ..work import Contender, Goal, Work, require

REGION = (0.1, 0.2)  # of each side


def works(bench):
    return [FirstByte(bench)]


class FirstByte(Work):
    name = "first-byte"
    title = "a region of a snapshot with 64^3 cells, nothing cached but pages"

    def __init__(self, bench):
        self.bench = bench
        self.sha256 = None
        self.contenders = [Contender("swiftsimio, local file", self.read_swiftsimio, 3), Contender("apus", self.read_apus)]

    def read_swiftsimio(self, check):
        metrics = self.bench.worker.ask("load_field", source=self.bench.path("field.hdf5"), region=[REGION] * 3, digest=check)
        self.sha256 = metrics.pop("sha256", self.sha256)
        return metrics

    def read_apus(self, check):
        box = ",".join(str(edge * BOX_SIZE) for edge in REGION * 3)
        query = urllib.parse.urlencode({"fields": "gas.coordinates", "box": box, "rows": "cells", "format": "npz"})
        with self.bench.fresh_apus() as server:
            metrics, body = measure(server, [(f"/v1/select/bench/field.hdf5?{query}", None)], keep=check)
        if check:
            values = np.load(io.BytesIO(body))["gas.coordinates"]
            require(hashlib.sha256(np.ascontiguousarray(values)).hexdigest() == self.sha256, "apus")
        return metrics

    def goals(self, medians):
        return [Goal("milliseconds to the first byte", medians["apus"]["first_byte_s"] * 1e3, 50, False, "ms")]
