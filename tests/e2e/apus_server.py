"""The built binary as a process, and a `requests` session that knows where it is."""

import os
import pathlib
import re
import subprocess
import threading
import urllib.parse

import requests

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
START_SECONDS = 60
STOP_SECONDS = 30


def binary():
    """The path of the binary under test."""
    if path := os.environ.get("APUS_BIN"):
        candidates = [pathlib.Path(path)]
    else:
        candidates = [REPOSITORY / "target" / profile / "apus" for profile in ("debug", "release")]
    for candidate in candidates:
        if candidate.exists():
            return candidate
    raise SystemExit(f"no binary at {' or '.join(map(str, candidates))}: cargo build --bin apus, or set APUS_BIN")


def clean_environment(home, **changes):
    """An environment in which nothing of the user's configures the server."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "TMPDIR", "RUST_BACKTRACE")}
    return kept | {"HOME": str(home), "XDG_DATA_HOME": str(home / "share")} | changes


class Session(requests.Session):
    """Takes paths in place of URLs."""

    def __init__(self, url):
        super().__init__()
        self.base_url = url
        self.trust_env = False

    def request(self, method, url, **arguments):
        arguments.setdefault("timeout", 120)
        return super().request(method, urllib.parse.urljoin(self.base_url, url), **arguments)

    def counted(self, name):
        """What `/metrics` says of `apus_{name}`."""
        return int(re.search(rf"^apus_{name} (\d+)$", self.get("/metrics").text, re.MULTILINE)[1])


class Server:
    """`apus serve` (or another command that serves) as a context: ready when entered, gone when left.

    Attributes: `url`, `process`, `home` (its own empty home folder), `state` (its state folder), `output` (what it printed so far, logs
    included).
    """

    def __init__(self, mounts, home, arguments=(), environment=None, command="serve"):
        self.home = pathlib.Path(home)
        self.state = self.home / "state"
        self.home.mkdir(parents=True, exist_ok=True)
        folders = [f"{name}={folder}" if name else str(folder) for name, folder in mounts.items()]
        self.arguments = [str(binary()), command, *folders, "--listen", "127.0.0.1:0"]
        self.arguments += ["--state", str(self.state)] if command == "serve" else []
        self.arguments += map(str, arguments)
        self.environment = clean_environment(self.home, **(environment or {}))
        self.lines = []
        self.url = None

    def __enter__(self):
        self.process = subprocess.Popen(
            self.arguments, env=self.environment, cwd=self.home, text=True, errors="replace",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        ready, self.grown = threading.Event(), threading.Condition()
        self.reader = threading.Thread(target=self._read, args=(ready,), daemon=True)
        self.reader.start()
        if not ready.wait(START_SECONDS) or self.url is None:
            self.process.kill()
            raise RuntimeError(f"{' '.join(self.arguments)} did not get ready:\n{self.output}")
        return self

    def _read(self, ready):
        for line in self.process.stdout:
            with self.grown:
                self.lines.append(line)
                self.grown.notify_all()
            if self.url is None and (found := re.search(r"http://127\.0\.0\.1:\d+", line)):
                self.url = found[0] + "/"
                ready.set()
        ready.set()

    @property
    def output(self):
        return "".join(self.lines)

    def wait_for(self, text):
        """Waits until it has printed that text: it is ready before its first lines are all read."""
        with self.grown:
            assert self.grown.wait_for(lambda: text in self.output, START_SECONDS), self.output

    def session(self):
        return Session(self.url)

    def peak_memory_bytes(self):
        """The most memory that the process ever had resident."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise RuntimeError(f"the server did not stop within {STOP_SECONDS} s of SIGTERM") from None
        self.reader.join()


def run(*arguments, home, **changes):
    """Runs a command of the binary to its end; returns what `subprocess.run` does, output as text."""
    return subprocess.run([str(binary()), *map(str, arguments)], env=clean_environment(home, **changes), cwd=home, capture_output=True, text=True, timeout=300)
