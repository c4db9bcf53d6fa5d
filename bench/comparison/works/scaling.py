"""The same rows in a hundred requests, in ten, in one: what a row costs must not depend on how many are asked for."""

from ..files import CHUNK_ROWS, COORDINATES
from ..http_client import measure
from ..work import Contender, Goal, Work


def works(bench):
    return [Scaling(bench, "gzip", "field.hdf5", COORDINATES), Scaling(bench, "contiguous", "plain.hdf5", "/contiguous")]


class Scaling(Work):
    """The windows end where chunks do, so that no chunk is decoded twice."""

    def __init__(self, bench, way, file, dataset):
        self.bench, self.file, self.dataset = bench, file, dataset
        self.name = f"scaling-{way}"
        self.window = bench.files.n_rows // 100 // CHUNK_ROWS * CHUNK_ROWS or bench.files.n_rows // 100
        self.title = f"{self.window:,} rows and 10 and 100 times as many, {way}"
        self.contenders = [Contender(f"apus {n}x", lambda check, n=n: self.read(n)) for n in (1, 10, 100)]

    def read(self, n):
        rows = self.window * n
        requests = [self.bench.apus.rows(self.file, self.dataset, [(begin, begin + rows)]) for begin in range(0, self.window * 100, rows)]
        metrics, _ = measure(self.bench.apus, requests)
        return metrics | {"ns_per_row": metrics["cpu_s"] / (self.window * 100) * 1e9, "wall_ns_per_row": metrics["wall_s"] / (self.window * 100) * 1e9}

    def goals(self, medians):
        costs = [m["ns_per_row"] for m in medians.values()]
        return [Goal("dearest CPU time per row over cheapest", max(costs) / min(costs), 1.15, False, "x")]
