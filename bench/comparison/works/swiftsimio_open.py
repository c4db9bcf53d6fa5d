"""swiftsimio opening a real snapshot, from this disk and from Apus through hdfstream."""

from ..work import Contender, Goal, Work, require

SNAPSHOT = "cosmo_box_many_chunks.hdf5"
TIMES = 3
REGION = ((0.1, 0.4),) * 3


def works(bench):
    return [OpenSnapshot(bench), MaskedField(bench)]


class Remote(Work):
    """Common to both: what the worker does, on a path or through hdfstream."""

    work, arguments = "", {}

    def __init__(self, bench):
        self.bench = bench
        self.sha256 = None
        self.contenders = [Contender("local", self.read_local), Contender("apus", self.read_remote)]

    def read_local(self, check):
        return self.read(check, source=str(self.bench.swift_folder / SNAPSHOT))

    def read_remote(self, check):
        return self.read(check, source=f"http://127.0.0.1:{self.bench.apus.port}/hdfstream", path=f"swift/{SNAPSHOT}")

    def read(self, check, **source):
        digest = check and self.work == "load_field"
        metrics = self.bench.worker.ask(self.work, times=TIMES, digest=digest, **source, **self.arguments)
        if digest:
            sha256 = metrics.pop("sha256")
            require(self.sha256 in (None, sha256), "apus")
            self.sha256 = sha256
        return metrics


class OpenSnapshot(Remote):
    name = "swiftsimio-open"
    title = "swiftsimio.load of a real snapshot"
    work = "load"

    def goals(self, medians):
        return [Goal("from afar over local, wall time", medians["apus"]["wall_s"] / medians["local"]["wall_s"], 1.3, False, "x")]


class MaskedField(Remote):
    name = "swiftsimio-field"
    title = "swiftsimio: mask a region, load its coordinates"
    work, arguments = "load_field", {"region": REGION}

    def goals(self, medians):
        return [Goal("from afar over local, wall time", medians["apus"]["wall_s"] / medians["local"]["wall_s"], 1.5, False, "x")]
