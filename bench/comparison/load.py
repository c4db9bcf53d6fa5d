"""Many requests at once from processes of their own: `wrk` where it is on the PATH, else this module's own, on raw sockets.

usage of the processes: python -m comparison.load requests PORT PATH CONNECTIONS SECONDS
                        python -m comparison.load slow PORT PATH CONNECTIONS SECONDS BYTES_PER_SECOND
                        python -m comparison.load ping PORT PATH INTERVAL_MS SECONDS
Each prints one line of JSON.
"""

import json
import pathlib
import re
import selectors
import shutil
import socket
import subprocess
import sys
import time

WRK = shutil.which("wrk")
UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}


def start(*arguments):
    """One of the processes above."""
    return subprocess.Popen([sys.executable, "-m", "comparison.load", *map(str, arguments)], cwd=pathlib.Path(__file__).resolve().parents[1], stdout=subprocess.PIPE, text=True)


def finish(process):
    """What it printed."""
    output, _ = process.communicate(timeout=120)
    if process.returncode:
        raise RuntimeError(f"{' '.join(process.args)} ended with {process.returncode}")
    return json.loads(output)


def requests(port, path, n_connections, seconds, n_processes):
    """As many GETs as the server answers: `requests_per_s`, `p50_ms`, `p99_ms`, `n_requests`, `wall_s`."""
    return with_wrk(port, path, n_connections, seconds) if WRK else with_python(port, path, n_connections, seconds, n_processes)


def with_wrk(port, path, n_connections, seconds):
    command = [WRK, "--latency", "-t1", f"-c{n_connections}", f"-d{seconds}s", f"http://127.0.0.1:{port}{path}"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        raise RuntimeError(f"wrk saw failures:\n{text}")
    n, wall = re.search(r"(\d+) requests in ([\d.]+)s", text).groups()
    percentile = {p: float(value) * UNITS[unit] for p, value, unit in re.findall(r"(\d\d)%\s+([\d.]+)(us|ms|s|m)\b", text)}
    return {"n_requests": int(n), "wall_s": float(wall), "requests_per_s": int(n) / float(wall), "p50_ms": percentile["50"], "p99_ms": percentile["99"]}


def with_python(port, path, n_connections, seconds, n_processes):
    processes = [start("requests", port, path, n_connections // n_processes, seconds) for _ in range(n_processes)]
    latencies = sorted(value for process in processes for value in finish(process))
    return {"n_requests": len(latencies), "wall_s": seconds, "requests_per_s": len(latencies) / seconds} | percentiles(latencies)


def percentiles(latencies):
    latencies = sorted(latencies)
    return {f"p{p}_ms": latencies[min(len(latencies) - 1, len(latencies) * p // 100)] for p in (50, 99)}


def request_bytes(path):
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


def run_requests(port, path, n_connections, seconds):
    selector = selectors.DefaultSelector()
    request, latencies, sent = request_bytes(path), [], {}
    for _ in range(int(n_connections)):
        s = socket.create_connection(("127.0.0.1", int(port)))
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(s, selectors.EVENT_READ, bytearray())
        sent[s] = time.perf_counter()
        s.sendall(request)
    buffer = bytearray(1 << 16)
    end = time.perf_counter() + float(seconds)
    while (now := time.perf_counter()) < end:
        for key, _ in selector.select(end - now):
            n = key.fileobj.recv_into(buffer)
            key.data.extend(memoryview(buffer)[:n])
            head = key.data.find(b"\r\n\r\n")
            if not n or (head >= 0 and not key.data.startswith(b"HTTP/1.1 2")):
                raise SystemExit(f"broken off, or refused: {bytes(key.data[:200])}")
            if head >= 0:
                length = int(re.search(rb"(?i)content-length: *(\d+)", key.data[:head])[1])
                if len(key.data) >= head + 4 + length:
                    key.data.clear()
                    now = time.perf_counter()
                    latencies.append((now - sent[key.fileobj]) * 1e3)
                    sent[key.fileobj] = now
                    key.fileobj.sendall(request)
    return latencies


def run_slow(port, path, n_connections, seconds, bytes_per_second):
    """Connections that each take a few bytes ten times a second."""
    sockets = []
    for _ in range(int(n_connections)):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        s.connect(("127.0.0.1", int(port)))
        s.sendall(request_bytes(path))
        s.setblocking(False)
        sockets.append(s)
    piece, total, begin = int(bytes_per_second) // 10, 0, time.perf_counter()
    for tick in range(int(float(seconds) * 10)):
        for s in sockets:
            try:
                received = s.recv(piece)
            except BlockingIOError:
                continue
            if not received:
                raise SystemExit("the server broke off an answer")
            total += len(received)
        time.sleep(max(0, begin + (tick + 1) / 10 - time.perf_counter()))
    return {"bytes": total, "wall_s": time.perf_counter() - begin}


def run_ping(port, path, interval_ms, seconds):
    """One request after another with a pause between: their latencies in milliseconds."""
    with socket.create_connection(("127.0.0.1", int(port))) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        request, latencies, end = request_bytes(path), [], time.perf_counter() + float(seconds)
        while (begin := time.perf_counter()) < end:
            s.sendall(request)
            if not s.recv(65536).startswith(b"HTTP/1.1 200"):
                raise SystemExit("ping was not answered")
            latencies.append((time.perf_counter() - begin) * 1e3)
            time.sleep(float(interval_ms) / 1e3)
    return latencies


if __name__ == "__main__":
    print(json.dumps({"requests": run_requests, "slow": run_slow, "ping": run_ping}[sys.argv[1]](*sys.argv[2:])))
