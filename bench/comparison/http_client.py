"""A client that costs little: one connection, bodies received into one buffer that is used again."""

import dataclasses
import http.client
import time

BUFFER_BYTES = 1 << 20


@dataclasses.dataclass
class Answer:
    """What came: `body` only where it was kept."""

    status: int
    headers: dict
    n_bytes: int
    first_byte_s: float
    wall_s: float
    body: bytes | None


class Client:
    """A keep-alive connection to a port of this machine."""

    def __init__(self, port, timeout=300):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        self.buffer = memoryview(bytearray(BUFFER_BYTES))

    def fetch(self, path, body=None, keep=False, headers=None):
        """Sends a GET, or a POST of JSON text, and takes the whole answer.

        Errors: RuntimeError for any status but 200 and 206; http.client's for an answer that breaks off.
        """
        begin = time.perf_counter()
        headers = {"Accept-Encoding": "identity"} | (headers or {}) | ({"Content-Type": "application/json"} if body else {})
        self.connection.request("POST" if body else "GET", path, body, headers)
        answer = self.connection.getresponse()
        if answer.status not in (200, 206):
            raise RuntimeError(f"{path[:200]} answered {answer.status}: {answer.read()[:500]}")
        n = answer.readinto(self.buffer[:1])
        first_byte = time.perf_counter() - begin
        pieces, total = [bytes(self.buffer[:n])], n
        while n and (n := answer.readinto(self.buffer)):
            total += n
            if keep:
                pieces.append(bytes(self.buffer[:n]))
        wall = time.perf_counter() - begin
        length = answer.getheader("Content-Length")
        if length is not None and int(length) != total:
            raise http.client.IncompleteRead(b"", int(length) - total)
        return Answer(answer.status, dict(answer.getheaders()), total, first_byte, wall, b"".join(pieces) if keep else None)

    def close(self):
        self.connection.close()


def measure(server, requests, keep=False):
    """Sends requests (path, body) one after another on one connection; returns the metrics of all together, and the last answer's body.

    `cpu_s` is the server's, `wall_s` and `first_byte_s` are the client's.
    """
    client = Client(server.port)
    server.reset_peak()
    cpu, wall, n_bytes, first = server.cpu_seconds(), 0.0, 0, None
    bodies = []
    for path, body in requests:
        answer = client.fetch(path, body, keep)
        wall += answer.wall_s
        n_bytes += answer.n_bytes
        first = answer.first_byte_s if first is None else first
        bodies.append(answer.body)
    cpu = server.cpu_seconds() - cpu
    client.close()
    return {"cpu_s": cpu, "wall_s": wall, "first_byte_s": first, "peak_mib": server.peak_mib(), "bytes": n_bytes}, (b"".join(bodies) if keep else None)
