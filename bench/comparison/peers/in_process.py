"""What runs without a server: h5py, pread and swiftsimio in a process of their own, so that its CPU and memory are theirs alone."""

import json
import pathlib
import subprocess
import sys


class InProcess:
    """`worker.py`, asked over its standard input; a context."""

    name = "in process"

    def __enter__(self):
        command = [sys.executable, "-m", "comparison.worker"]
        self.process = subprocess.Popen(command, cwd=pathlib.Path(__file__).resolve().parents[2], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(60)

    def ask(self, work, **arguments):
        """The metrics of one piece of work: `cpu_s`, `wall_s`, `peak_mib`, and what it adds.

        Errors: RuntimeError with the text of the worker's.
        """
        self.process.stdin.write(json.dumps({"work": work} | arguments) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        outcome = json.loads(line) if line else {"error": "the worker ended"}
        if "error" in outcome:
            raise RuntimeError(f"{work}: {outcome['error']}")
        return outcome
