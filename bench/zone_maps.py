#!/usr/bin/env python3
"""What an exact region costs in a snapshot whose cells have bounds, and in one whose cells have none.

    target/python/main/bin/python bench/zone_maps.py [--rows 1000000 10000000] [--folder FOLDER]

Makes the snapshots, builds crates/apus-data/examples/region.rs, and prints a table: the processor's seconds, the bytes read and the most
memory for the first region, for the second, for the first after a restart, and for learning ahead of time. Files are in the page cache.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAKE = ROOT / "crates/apus-data/tests/it/make_zone_files.py"


def run(binary, folder, file, maps, *what):
    """What each step took, and the most memory of the process."""
    process = subprocess.Popen([binary, folder, file, maps, *what], stdout=subprocess.PIPE, text=True)
    lines = process.stdout.read().splitlines()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{binary} failed")
    return [json.loads(line) for line in lines], usage.ru_maxrss / 1024


def build():
    subprocess.run(["cargo", "build", "--quiet", "--release", "-p", "apus-data", "--example", "region"], cwd=ROOT, check=True)
    metadata = subprocess.check_output(["cargo", "metadata", "--no-deps", "--format-version", "1"], cwd=ROOT)
    return f"{json.loads(metadata)['target_directory']}/release/examples/region"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--folder", type=Path, help="where the snapshots lie, and stay; a temporary folder otherwise")
    parser.add_argument("--binary", help="the built example; built first otherwise")
    arguments = parser.parse_args()
    binary = arguments.binary or build()
    print("| rows | file | step | CPU, s | wall, s | read, MB | answer, kB | memory, MB |")
    print("|---:|---|---|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as scratch:
        for n_rows in arguments.rows:
            folder = (arguments.folder or Path(scratch)) / str(n_rows)
            if not (folder / "without-bounds.hdf5").exists():
                folder.mkdir(parents=True, exist_ok=True)
                subprocess.run([sys.executable, MAKE, folder, "--rows", str(n_rows)], check=True)
            # About 12,000 rows of 1e8, and no fewer than 1,200.
            radius = 100.0 * (3 * max(12_000 / 1e8, 1200 / n_rows) / (4 * 3.14159)) ** (1 / 3)
            spheres = [f"52,48,51,{radius}", f"30,61,77,{radius}"]

            def show(file, step, took, memory):
                print(
                    f"| {n_rows} | {file} | {step} | {took['cpu_s']:.3f} | {took['wall_s']:.3f} | {took['read_bytes'] / 1e6:.1f} "
                    f"| {took['answer_bytes'] / 1e3:.0f} | {memory:.0f} |",
                    flush=True,
                )

            for file in ("with-bounds", "without-bounds"):
                maps = Path(scratch) / f"maps-{n_rows}-{file}"
                (first, second, third), memory = run(binary, folder, f"{file}.hdf5", maps, spheres[0], spheres[1], spheres[0])
                show(file, "first region", first, memory)
                show(file, "second region", second, memory)
                show(file, "first region again", third, memory)
                (again,), memory = run(binary, folder, f"{file}.hdf5", maps, spheres[1])
                show(file, "after a restart", again, memory)
                shutil.rmtree(maps, ignore_errors=True)
                (indexed,), memory = run(binary, folder, f"{file}.hdf5", maps, "index")
                show(file, "index", indexed, memory)
            if not arguments.folder:
                shutil.rmtree(folder)


if __name__ == "__main__":
    main()
