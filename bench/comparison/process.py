"""A server under test: a process tree on loopback whose CPU, memory and readiness can be told."""

import os
import pathlib
import re
import socket
import subprocess
import time

START_SECONDS = 90
STOP_SECONDS = 20


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Process:
    """A command as a context. `port` answers when it is entered."""

    def __init__(self, command, folder, port, environment=None):
        folder.mkdir(parents=True, exist_ok=True)
        self.command, self.folder, self.port = [str(part) for part in command], folder, port
        self.environment = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ} | {"HOME": str(folder)} | (environment or {})

    def __enter__(self):
        self.log = (self.folder / "log").open("w")
        self.process = subprocess.Popen(self.command, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.__exit__()
                    raise RuntimeError(f"{' '.join(self.command)} did not start:\n{(self.folder / 'log').read_text()[-2000:]}") from None
                time.sleep(0.005)

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def pids(self):
        """The process and all below it."""
        found, parents = [self.process.pid], {}
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
            except OSError:
                pass  # gone meanwhile
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return found

    def cpu_seconds(self):
        """What the tree has used so far, in user and kernel mode, threads that ended included."""
        return sum(map(cpu_seconds, self.pids()))

    def peak_mib(self):
        """The sum of the most that each process had resident since `reset_peak`."""
        return sum(status_mib(pid, "VmHWM") for pid in self.pids())

    def resident_mib(self):
        return sum(status_mib(pid, "VmRSS") for pid in self.pids())

    def reset_peak(self):
        for pid in self.pids():
            pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")


def cpu_seconds(pid):
    # The clock of another process (clock_getcpuclockid), to the nanosecond where /proc/PID/stat counts hundredths.
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def status_mib(pid, name):
    return int(re.search(rf"{name}:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) / 1024
