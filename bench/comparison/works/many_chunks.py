"""A dataset with ten million chunks under one B-tree: what its index costs to build and to keep."""

import numpy as np

from ..http_client import measure
from ..work import Contender, Goal, Work, require

N_SCATTERED = 1_000


def works(bench):
    return [ManyChunks(bench)]


class ManyChunks(Work):
    """The first request takes a thousand rows from all over the dataset, which needs the index; the second the same, which has it."""

    name = "many-chunks"

    def __init__(self, bench):
        self.bench = bench
        self.n_chunks = bench.files.n_chunks
        self.title = f"a dataset of {self.n_chunks / 1e6:g} million chunks: first rows, and the index in memory"
        self.rows = np.linspace(0, self.n_chunks - 1, N_SCATTERED).astype(int)
        self.contenders = [Contender("apus", self.read_apus), Contender("h5py, the same rows", self.read_h5py, 2)]

    def read_apus(self, check):
        with self.bench.fresh_apus() as server:
            measure(server, [("/ping", None)])
            before = server.resident_mib()
            request = [server.rows("many_chunks.hdf5", "/x", [(row, row + 1) for row in self.rows])]
            first, body = measure(server, request, keep=check)
            kept = server.resident_mib() - before
            again, _ = measure(server, request)
        if check:
            require((np.frombuffer(body, "<f8") == self.rows).all(), "apus")
        return {
            "cpu_s": first["cpu_s"], "wall_s": first["wall_s"], "again_s": again["wall_s"], "peak_mib": first["peak_mib"],
            "us_per_chunk": (first["wall_s"] - again["wall_s"]) / self.n_chunks * 1e6, "bytes_per_chunk": kept * 2**20 / self.n_chunks,
        }

    def read_h5py(self, check):
        return self.bench.worker.ask("loop", file=self.bench.path("many_chunks.hdf5"), dataset="x", ranges=[(int(row), int(row) + 1) for row in self.rows])

    def goals(self, medians):
        return [
            Goal("microseconds per chunk to build the index", medians["apus"]["us_per_chunk"], 1, False, "us"),
            Goal("bytes per chunk that stay resident", medians["apus"]["bytes_per_chunk"], 16, False, "B"),
        ]
