"""What a work is: contenders that do the same thing, metrics of each, and the goals they are held against."""

import dataclasses
import statistics
from collections.abc import Callable


@dataclasses.dataclass
class Contender:
    """One that does a work. `run(check)` does it once and returns its metrics; with `check` it compares the answer with the truth as well.

    `rounds`: the most rounds it is worth waiting for.
    """

    name: str
    run: Callable[[bool], dict]
    rounds: int | None = None


@dataclasses.dataclass
class Goal:
    """A figure held against what it should be: at least (`at_least`) or at most `bound`; `text` says both for people."""

    text: str
    value: float
    bound: float
    at_least: bool
    unit: str = ""

    @property
    def met(self):
        return self.value >= self.bound if self.at_least else self.value <= self.bound


class Work:
    """A row of the comparison: `name`, `title`, `contenders`, and `goals(medians)`, where `medians[contender][metric]` is a number."""

    name = title = ""
    contenders: list[Contender] = []

    def goals(self, medians):
        return []


class WrongAnswer(Exception):
    """A contender answered something else than the true array."""


def require(same, who):
    if not same:
        raise WrongAnswer(f"{who}: the answer differs from the true array")


def summary(samples):
    """From the metrics of each round: by metric `median`, `min`, `max`."""
    names = dict.fromkeys(name for sample in samples for name in sample)
    return {
        name: {"median": statistics.median(values), "min": min(values), "max": max(values)}
        for name in names
        if (values := [sample[name] for sample in samples if sample.get(name) is not None])
    }
