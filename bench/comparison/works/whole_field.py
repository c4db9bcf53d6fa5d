"""A whole field of doubles, stored in four ways, and the plain bytes by nginx and pread."""

import hashlib
import os
import subprocess
import time

from ..files import COORDINATES
from ..http_client import measure
from ..work import Contender, Goal, Work, require


def works(bench):
    return [WholeGzip(bench), SpeedUp(bench), WholePlain(bench), WholeVirtual(bench)]


class WholeField(Work):
    """Common to them: how each contender reads all rows of a dataset `times` times."""

    times = 1

    def __init__(self, bench):
        self.bench = bench
        self.sha256 = hashlib.sha256(bench.files.truth).hexdigest()

    def served(self, name, server, requests):
        def run(check):
            metrics, body = measure(server(), requests * (1 if check else self.times), keep=check)
            if check:
                require(hashlib.sha256(body).hexdigest() == self.sha256, name)
            return per_time(metrics, 1 if check else self.times)

        return run

    def apus(self, name, file, dataset):
        return Contender(name, self.served(name, lambda: self.bench.apus, [self.bench.apus.rows(file, dataset)]))

    def h5grove(self, name, file, dataset):
        return Contender(name, self.served(name, lambda: self.bench.h5grove, self.bench.h5grove.rows(file, dataset)))

    def tiled(self, name, file, dataset):
        return [Contender(name, self.served(name, lambda: self.bench.tiled, [self.bench.tiled.rows(file, dataset)]))] if self.bench.tiled else []

    def nginx(self):
        bench = self.bench
        return [Contender(f"nginx {way}", self.served(f"nginx {way}", lambda: bench.nginx, [(f"/{way}/truth.raw", None)])) for way in ("copied", "sendfile")] if bench.nginx else []

    def h5py(self, name, file, dataset):
        def run(check):
            metrics = self.bench.worker.ask("whole", file=self.bench.path(file), dataset=dataset, digest=check)
            if check:
                require(metrics.pop("sha256") == self.sha256, name)
            return metrics | {"bytes": self.bench.files.truth.nbytes}

        return Contender(name, run)

    def pread(self):
        return Contender("pread", lambda check: self.bench.worker.ask("pread", file=self.bench.path("truth.raw"), times=self.times) | {"bytes": self.bench.files.truth.nbytes})


class WholeGzip(WholeField):
    name = "whole-gzip"
    title = "whole field, gzip + shuffle + fletcher32"

    def __init__(self, bench):
        super().__init__(bench)
        self.contenders = [
            self.apus("apus", "field.hdf5", COORDINATES), self.h5py("h5py", "field.hdf5", COORDINATES),
            self.h5grove("h5grove", "field.hdf5", COORDINATES), *self.tiled("tiled", "field.hdf5", COORDINATES),
        ]

    def goals(self, medians):
        return [Goal("h5py's CPU-seconds over Apus's", medians["h5py"]["cpu_s"] / medians["apus"]["cpu_s"], 2.5, True, "x")]


class SpeedUp(Work):
    """`apus check` decodes and verifies everything and has no client beside it; run on one core and on all."""

    name = "speed-up"
    title = "decode a gzip file (`apus check`) on one core, on all"

    def __init__(self, bench):
        self.bench = bench
        self.contenders = [Contender("one core", lambda check: self.check_file(1)), Contender("all cores", lambda check: self.check_file(bench.n_cores))]

    def check_file(self, n_cores):
        cores = sorted(os.sched_getaffinity(0))[:n_cores]
        begin, before = time.perf_counter(), os.times()
        subprocess.run([self.bench.binary, "check", self.bench.path("field.hdf5")], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       preexec_fn=lambda: os.sched_setaffinity(0, cores))
        after = os.times()
        cpu = after.children_user + after.children_system - before.children_user - before.children_system
        return {"cpu_s": cpu, "wall_s": time.perf_counter() - begin, "bytes": self.bench.files.truth.nbytes}

    def goals(self, medians):
        n = self.bench.n_cores
        return [Goal(f"speed on {n} cores over {n} times the speed on one", medians["one core"]["wall_s"] / medians["all cores"]["wall_s"] / n, 0.85, True)]


class WholePlain(WholeField):
    name = "whole-plain"
    title = "whole field, not compressed"
    times = 4

    def __init__(self, bench):
        super().__init__(bench)
        self.contenders = [
            *(self.apus(f"apus {way}", "plain.hdf5", f"/{way}") for way in ("contiguous", "chunked", "checksum")), *self.nginx(),
            self.h5py("h5py contiguous", "plain.hdf5", "/contiguous"), self.h5py("h5py chunked", "plain.hdf5", "/chunked"), self.h5py("h5py checksum", "plain.hdf5", "/checksum"),
            self.h5grove("h5grove contiguous", "plain.hdf5", "/contiguous"), *self.tiled("tiled contiguous", "plain.hdf5", "/contiguous"), self.pread(),
        ]

    def goals(self, medians):
        if not self.bench.nginx:
            return []
        ways = (("contiguous", "contiguous"), ("chunked", "chunked"), ("checksum", "chunked with fletcher32"))
        return [
            *(Goal(f"{text}: Apus's CPU-seconds over those of nginx without sendfile", medians[f"apus {way}"]["cpu_s"] / medians["nginx copied"]["cpu_s"], 1.5, False, "x") for way, text in ways),
            *(Goal(f"{text}: throughput over that of nginx with sendfile", medians["nginx sendfile"]["wall_s"] / medians[f"apus {way}"]["wall_s"], 0.8, True, "x") for way, text in ways),
        ]


class WholeVirtual(WholeField):
    name = "whole-virtual"
    title = "whole field of a virtual file, its parts gzip"

    def __init__(self, bench):
        super().__init__(bench)
        self.contenders = [self.apus("apus", "virtual.hdf5", COORDINATES), self.h5py("h5py", "virtual.hdf5", COORDINATES), self.h5grove("h5grove", "virtual.hdf5", COORDINATES)]

    def goals(self, medians):
        return [Goal("h5py's CPU-seconds over Apus's", medians["h5py"]["cpu_s"] / medians["apus"]["cpu_s"], 2.5, True, "x")]


def per_time(metrics, times):
    return {name: value / times if name in ("cpu_s", "wall_s", "bytes") else value for name, value in metrics.items()}
