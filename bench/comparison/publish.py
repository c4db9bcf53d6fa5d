"""Puts the figures of an outcome where readers look: docs/performance.md, README.md and the picture between them.

What lies between `<!-- figures -->` and `<!-- /figures -->` in those files is written here and nowhere else.
"""

import re
import shutil

from . import report
from .machine import REPOSITORY

DOCUMENT, README, PICTURE = REPOSITORY / "docs" / "performance.md", REPOSITORY / "README.md", REPOSITORY / "docs" / "performance.svg"
MARKED = re.compile(r"(<!-- figures -->\n).*?(<!-- /figures -->)", re.S)


def publish(outcome, costs_picture):
    """Rewrites the marked parts.

    Errors: SystemExit where a file lacks its marks, or the outcome lacks what README tells.
    """
    shutil.copyfile(costs_picture, PICTURE)
    tables = [part for work in outcome["works"] for part in ("", f"### {work['title']}", "", *report.work_table(work))]
    replace(DOCUMENT, "\n".join([report.provenance(outcome), "", "![](performance.svg)", "", *report.goal_table(outcome), *tables]) + "\n")
    replace(README, main_line(outcome) + "\n")


def main_line(outcome):
    """README's sentence and picture."""
    works = {work["name"]: {name: report.medians_of(contender) for name, contender in work["contenders"].items()} for work in outcome["works"]}
    goals = [goal for work in outcome["works"] for goal in work["goals"]]
    try:
        field, hot = works["whole-gzip"], works["hot-rows"]
        machine = outcome["machine"]
        return (
            "![CPU time of the same work, Apus and its peers](docs/performance.svg)\n\n"
            "| 8 million rows of 3 doubles, gzip, checksums verified | Apus | h5py | h5grove |\n|---|---:|---:|---:|\n"
            f"| CPU-seconds | {field['apus']['cpu_s']:.2f} | {field['h5py']['cpu_s']:.2f} | {field['h5grove']['cpu_s']:.2f} |\n"
            f"| 300 hot rows, requests per second | {hot['apus']['requests_per_s']:,.0f} | | {hot['h5grove']['requests_per_s']:,.0f} |\n\n"
            f"{machine['cores']} cores of {machine['cpu']}, commit {machine['commit']}, {outcome['date'][:10]}; {sum(goal['met'] for goal in goals)} of {len(goals)} goals met: "
            "[docs/performance.md](docs/performance.md). `bench/run` measures it again."
        )
    except KeyError as missing:
        raise SystemExit(f"not published: this run has no {missing}; run all works with all peers") from None


def replace(path, text):
    old = path.read_text()
    new, n = MARKED.subn(lambda found: found[1] + text + found[2], old)
    if n != 1:
        raise SystemExit(f"{path} has no part between <!-- figures --> and <!-- /figures -->")
    path.write_text(new)
