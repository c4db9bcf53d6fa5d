"""Measures Apus beside its peers: starts each on loopback, lets them do the same works in turn, and writes what came of it.

  bench/run                         all works, 5 rounds: JSON, a table and pictures in bench/results/
  bench/run --only ranges --rounds 3     the works whose name holds "ranges"
  bench/run --quick                 an eighth of the rows, 2 rounds: does everything still work?
  bench/run --publish               also rewrites the figures in docs/performance.md and README.md
  bench/run --publish-from FILE     only that, from the JSON of an earlier run
  bench/run --list                  the names of the works

A round lets every contender of every work go once, so that what disturbs the machine disturbs all alike; round 0 is not counted: it warms
up, and compares every answer with the true array. The files (1.7 GB) are made once, under target/bench. Stderr tells what goes on.
"""

import argparse
import datetime
import json
import os
import pathlib
import sys
import time

from . import machine, plot, publish, report
from .bench import Bench
from .files import Files, say_on_stderr
from .peers import Nginx, Tiled
from .work import WrongAnswer, summary
from .works import all_works

REPOSITORY = machine.REPOSITORY
RESULTS = REPOSITORY / "bench" / "results"


def main():
    options = parse()
    if options.publish_from:
        outcome = json.loads(options.publish_from.read_text())
        return publish.publish(outcome, options.publish_from.with_name(options.publish_from.stem + "-costs.svg"))
    if not options.bin.exists():
        raise SystemExit(f"no binary at {options.bin}: cargo build --release --bin apus, or name one with --bin")
    begin = time.monotonic()
    for peer, how in ((Nginx, "nginx is not on the PATH (Debian: apt-get install nginx-light)"), (Tiled, "Tiled is not installed")):
        if not peer.installed:
            say_on_stderr(f"left out: {how}")
    scale = 8 if options.quick else 1
    files = Files(options.folder / ("quick" if options.quick else "full"), 8_000_000 // scale, 10_000_000 // scale, say_on_stderr)
    outcome = {"date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"), "machine": machine.describe(options.bin), "rounds": options.rounds, "n_rows": files.n_rows}
    with Bench(files, options.bin, REPOSITORY / "tests" / "data", len(os.sched_getaffinity(0)), options.quick) as bench:
        works = [work for work in all_works(bench) if not options.only or any(part in work.name for part in options.only)]
        if options.list:
            return print("\n".join(f"{work.name:24s} {work.title}" for work in works))
        if not works:
            raise SystemExit(f"no work's name holds {' or '.join(options.only)}; --list tells the names")
        outcome["works"] = measure_all(works, options.rounds)
    outcome["took_s"] = round(time.monotonic() - begin)
    stem = write(outcome, options.results)
    print(report.markdown(outcome))
    say_on_stderr(f"took {outcome['took_s']} s; wrote {stem}.json, .md, -costs.svg, -goals.svg")
    if options.publish:
        publish.publish(outcome, stem.with_name(stem.name + "-costs.svg"))
    if any(work["failures"] for work in outcome["works"]):
        raise SystemExit(1)


def parse():
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="WORK", action="append", help="only works whose name holds this; may be given again")
    parser.add_argument("--rounds", metavar="N", type=int, help="how often everything is measured (default: 5, with --quick 2)")
    parser.add_argument("--quick", action="store_true", help="smaller files, fewer rounds")
    parser.add_argument("--list", action="store_true", help="tell the names of the works, and stop")
    parser.add_argument("--publish", action="store_true", help="rewrite the figures in docs/performance.md and README.md")
    parser.add_argument("--publish-from", metavar="FILE", type=pathlib.Path, help="rewrite them from the JSON of an earlier run, and stop")
    parser.add_argument("--bin", metavar="FILE", type=pathlib.Path, default=pathlib.Path(os.environ.get("APUS_BIN", REPOSITORY / "target/release/apus")), help="the binary (default: $APUS_BIN, else target/release/apus)")
    parser.add_argument("--folder", metavar="DIR", type=pathlib.Path, default=REPOSITORY / "target/bench", help="where the files are made and kept (default: target/bench)")
    parser.add_argument("--results", metavar="DIR", type=pathlib.Path, default=RESULTS, help="where the outcome is written (default: bench/results)")
    options = parser.parse_args()
    options.rounds = options.rounds or (2 if options.quick else 5)
    options.bin, options.folder = options.bin.resolve(), options.folder.resolve()
    return options


def measure_all(works, rounds):
    samples = {(work.name, contender.name): [] for work in works for contender in work.contenders}
    failures = {work.name: [] for work in works}
    broken = set()
    begin = time.monotonic()
    for i in range(rounds + 1):
        for work in works:
            say_on_stderr(f"{time.monotonic() - begin:5.0f} s  round {i} of {rounds}  {work.name}")
            # Another one goes first each time.
            order = work.contenders if i == 0 else work.contenders[i % len(work.contenders) :] + work.contenders[: i % len(work.contenders)]
            for contender in order:
                key = (work.name, contender.name)
                if key in broken or (contender.rounds is not None and i > contender.rounds):
                    continue
                try:
                    metrics = contender.run(i == 0)
                except WrongAnswer:
                    raise
                except Exception as error:  # one that fails must not spoil the others' run
                    broken.add(key)
                    failures[work.name].append(f"{contender.name}: {error}")
                    say_on_stderr(f"{work.name}, {contender.name}: {error}")
                    continue
                if i > 0:
                    samples[key].append(metrics)
    return [finish(work, samples, failures[work.name]) for work in works]


def finish(work, samples, failures):
    contenders = {c.name: {"samples": samples[work.name, c.name], "summary": summary(samples[work.name, c.name])} for c in work.contenders}
    medians = {name: {metric: values["median"] for metric, values in contender["summary"].items()} for name, contender in contenders.items() if contender["summary"]}
    try:
        goals = [vars(goal) | {"met": goal.met} for goal in work.goals(medians)]
    except KeyError as missing:
        goals = []
        failures.append(f"goals: {missing} was not measured")
    return {"name": work.name, "title": work.title, "contenders": contenders, "goals": goals, "failures": failures}


def write(outcome, folder):
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / outcome["date"].replace(":", "").removesuffix("+0000")
    stem.with_suffix(".json").write_text(json.dumps(outcome, indent=1) + "\n")
    stem.with_suffix(".md").write_text(report.markdown(outcome))
    plot.draw(outcome, stem)
    return stem


if __name__ == "__main__":
    sys.exit(main())
