"""What was measured on, and what was measured."""

import importlib.metadata
import os
import pathlib
import platform
import re
import subprocess

from .peers import Nginx

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def describe(binary):
    """The machine, the commit, the versions; `load` is the mean number of processes that wanted a core at the start."""
    return {
        "cpu": next((line.partition(": ")[2] for line in read("/proc/cpuinfo").splitlines() if line.startswith("model name")), platform.machine()),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(re.search(r"MemTotal:\s+(\d+)", read("/proc/meminfo"))[1]) / 2**20),
        "kernel": platform.release(),
        "load": os.getloadavg()[0],
        "commit": git("rev-parse", "--short=12", "HEAD") + ("" if not git("status", "--porcelain", "--", "crates", "Cargo.toml", "Cargo.lock") else " with changes"),
        "versions": versions(binary),
    }


def versions(binary):
    found = {name: importlib.metadata.version(name) for name in ("h5py", "numpy", "h5grove", "uvicorn", "orjson", "tiled", "hdfstream", "swiftsimio") if installed(name)}
    import h5py

    found["hdf5"] = h5py.version.hdf5_version
    found["apus"] = subprocess.run([binary, "--version"], capture_output=True, text=True).stdout.strip().removeprefix("apus ")
    found["nginx"] = subprocess.run([Nginx.program, "-v"], capture_output=True, text=True).stderr.strip().rpartition("/")[2] if Nginx.installed else None
    return found


def installed(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def git(*arguments):
    return subprocess.run(["git", "-C", REPOSITORY, *arguments], capture_output=True, text=True).stdout.strip()


def read(path):
    return pathlib.Path(path).read_text()
