"""Several clients at once: eight that each read another file, and fifty slow ones beside a fast one."""

import concurrent.futures
import hashlib
import time

from .. import load
from ..files import COORDINATES, N_PARTS
from ..http_client import Client
from ..work import Contender, Goal, Work, require

N_SLOW = 50
SLOW_BYTES_PER_SECOND = 100_000
PING_INTERVAL_MS = 5


def works(bench):
    return [EightClients(bench), SlowClients(bench)]


class EightClients(Work):
    name = "eight-clients"
    title = f"{N_PARTS} clients at once, each another gzip file"

    def __init__(self, bench):
        self.bench = bench
        self.contenders = [
            Contender("apus, one client", lambda check: self.read("apus", 1, check)), Contender(f"apus, {N_PARTS} clients", lambda check: self.read("apus", N_PARTS, check)),
            Contender("h5grove, one client", lambda check: self.read("h5grove", 1, check), 2), Contender(f"h5grove, {N_PARTS} clients", lambda check: self.read("h5grove", N_PARTS, check), 2),
        ]

    def read(self, peer, n_clients, check):
        server = getattr(self.bench, peer)
        requests = [server.rows(f"virtual.{i}.hdf5", COORDINATES) for i in range(N_PARTS)]
        requests = [request if isinstance(request, tuple) else request[0] for request in requests]

        def one(request):
            client = Client(server.port)
            answer = client.fetch(*request, keep=check)
            client.close()
            return answer

        server.reset_peak()
        cpu, begin = server.cpu_seconds(), time.perf_counter()
        with concurrent.futures.ThreadPoolExecutor(n_clients) as pool:
            answers = list(pool.map(one, requests))
        wall = time.perf_counter() - begin
        if check:
            digest = hashlib.sha256(b"".join(answer.body for answer in answers)).hexdigest()
            require(digest == hashlib.sha256(self.bench.files.truth).hexdigest(), peer)
        return {"cpu_s": server.cpu_seconds() - cpu, "wall_s": wall, "peak_mib": server.peak_mib(), "bytes": sum(answer.n_bytes for answer in answers)}

    def goals(self, medians):
        many = medians[f"apus, {N_PARTS} clients"]
        return [
            Goal(f"throughput of {N_PARTS} clients over that of one", medians["apus, one client"]["wall_s"] / many["wall_s"], 1, True, "x"),
            Goal("MiB of memory at most", many["peak_mib"], 300, False, "MiB"),
        ]


class SlowClients(Work):
    """The fast one reads a whole gzip field again and again, while another process pings."""

    name = "slow-clients"
    title = f"{N_SLOW} clients at {SLOW_BYTES_PER_SECOND // 1000} kB/s beside a fast one"

    def __init__(self, bench):
        self.bench = bench
        self.seconds = 2 if bench.quick else 4
        self.contenders = [Contender("apus, fast one alone", lambda check: self.read(0, check), 3), Contender("apus, beside the slow", lambda check: self.read(N_SLOW, check), 3)]

    def read(self, n_slow, check):
        if check:
            return {}  # what is read is compared in other works
        server = self.bench.apus
        path, _ = server.rows("field.hdf5", COORDINATES)
        slow = load.start("slow", server.port, path, n_slow, self.seconds + 1, SLOW_BYTES_PER_SECOND)
        time.sleep(0.5)  # the slow ones fill their buffers
        ping = load.start("ping", server.port, "/ping", PING_INTERVAL_MS, self.seconds)
        client, n_bytes, begin = Client(server.port), 0, time.perf_counter()
        server.reset_peak()
        cpu = server.cpu_seconds()
        while time.perf_counter() < begin + self.seconds:
            n_bytes += client.fetch(path).n_bytes
        wall = time.perf_counter() - begin
        cpu = server.cpu_seconds() - cpu
        client.close()
        pings = load.percentiles(load.finish(ping))
        slow_bytes = load.finish(slow)["bytes"]
        return {"cpu_s": cpu, "wall_s": wall, "bytes": n_bytes, "peak_mib": server.peak_mib(), "ping_p50_ms": pings["p50_ms"], "ping_p99_ms": pings["p99_ms"],
                "slow_kb_per_s": slow_bytes / 1e3 / (self.seconds + 1) / max(n_slow, 1)}

    def goals(self, medians):
        alone, beside = (medians[name]["bytes"] / medians[name]["wall_s"] for name in ("apus, fast one alone", "apus, beside the slow"))
        return [
            Goal("speed of the fast one over that alone", beside / alone, 0.9, True),
            Goal("ping, milliseconds, 99th percentile", medians["apus, beside the slow"]["ping_p99_ms"], 10, False, "ms"),
        ]
