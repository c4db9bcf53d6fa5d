"""Every lossy filter chain of SWIFT, a million values each."""

import hashlib

from ..http_client import measure
from ..lossy import chain_names
from ..work import Contender, Goal, Work, require


def works(bench):
    return [LossyChains(bench)]


class LossyChains(Work):
    """Metrics `cpu_s CHAIN` for each chain beside the sums; h5py's decoded values are the truth."""

    name = "lossy"
    title = "all lossy chains (nbit, scale-offset)"

    def __init__(self, bench):
        self.bench = bench
        self.sha256 = {}
        self.contenders = [Contender("h5py", self.read_h5py), Contender("apus", self.read_apus)]

    def read_h5py(self, check):
        def one(chain):
            metrics = self.bench.worker.ask("whole", file=self.bench.path("lossy.hdf5"), dataset=chain, digest=check)
            self.sha256[chain] = metrics.pop("sha256", self.sha256.get(chain))
            return metrics

        return sums({chain: one(chain) for chain in chain_names()})

    def read_apus(self, check):
        def one(chain):
            metrics, body = measure(self.bench.apus, [self.bench.apus.rows("lossy.hdf5", f"/{chain}")], keep=check)
            if check:
                require(hashlib.sha256(body).hexdigest() == self.sha256[chain], f"apus, {chain}")
            return metrics

        return sums({chain: one(chain) for chain in chain_names()})

    def goals(self, medians):
        ratios = {chain: medians["h5py"][f"cpu_s {chain}"] / medians["apus"][f"cpu_s {chain}"] for chain in chain_names()}
        slowest = min(ratios, key=ratios.get)
        return [
            Goal("h5py's CPU-seconds over Apus's, all chains together", medians["h5py"]["cpu_s"] / medians["apus"]["cpu_s"], 2, True, "x"),
            Goal(f"the same for the slowest chain, {slowest}", ratios[slowest], 2, True, "x"),
        ]


def sums(by_chain):
    total = {name: sum(metrics[name] for metrics in by_chain.values()) for name in ("cpu_s", "wall_s")}
    return total | {f"cpu_s {chain}": metrics["cpu_s"] for chain, metrics in by_chain.items()}
