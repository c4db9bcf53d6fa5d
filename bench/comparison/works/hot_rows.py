"""Three hundred rows of a field that is asked for all the time, over 16 keep-alive connections."""

from .. import load
from ..files import COORDINATES
from ..http_client import Client
from ..work import Contender, Goal, Work, require

N_ROWS = 300
N_CONNECTIONS = 16


def works(bench):
    return [HotRows(bench)]


class HotRows(Work):
    name = "hot-rows"
    title = f"{N_ROWS} rows of a hot gzip field, {N_CONNECTIONS} connections"

    def __init__(self, bench):
        self.bench = bench
        self.seconds = 1 if bench.quick else 3
        self.begin = bench.files.n_rows // 2
        rows = f"{self.begin}:{self.begin + N_ROWS}"
        self.contenders = [
            Contender("apus", lambda check: self.read(bench.apus, f"/v1/data/bench/field.hdf5?object={COORDINATES}&rows={rows}&format=raw", check)),
            Contender("h5grove", lambda check: self.read(bench.h5grove, bench.h5grove.rows("field.hdf5", COORDINATES, [(self.begin, self.begin + N_ROWS)])[0][0], check)),
        ]
        if bench.nginx:
            self.contenders.append(Contender("nginx, a file of these bytes", lambda check: self.read(bench.nginx, "/sendfile/hot.raw", check)))

    def read(self, server, path, check):
        if check:
            client = Client(server.port)
            require(client.fetch(path, keep=True).body == self.bench.files.truth[self.begin : self.begin + N_ROWS].tobytes(), server.name)
            client.close()
            return {}
        server.reset_peak()
        cpu = server.cpu_seconds()
        metrics = load.requests(server.port, path, N_CONNECTIONS, self.seconds, self.bench.n_cores)
        cpu = server.cpu_seconds() - cpu
        return metrics | {"cpu_us_per_request": cpu / metrics["n_requests"] * 1e6, "peak_mib": server.peak_mib()}

    def goals(self, medians):
        return [
            Goal("Apus's requests per second over h5grove's", medians["apus"]["requests_per_s"] / medians["h5grove"]["requests_per_s"], 20, True, "x"),
            Goal("milliseconds, 99th percentile", medians["apus"]["p99_ms"], 5, False, "ms"),
        ]
