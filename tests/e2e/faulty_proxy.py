"""A proxy in front of a server that does to answers what networks do: cuts them off, says it is busy, counts requests."""

import contextlib
import http.server
import socket
import threading

import requests

HOP_BY_HOP = {"connection", "transfer-encoding", "host", "keep-alive"}


class FaultyProxy:
    """A context with a `url`. Faults wait in lists, each is used once:

    `cuts`: after so many bytes of the next body the connection breaks. `flips`: this byte of the next body is another. `busy`: the next request is answered with this status and these seconds
    of Retry-After. `hidden`: headers that answers do not show. `requests` are those that came: (method, path with query, headers).
    `/ping`, with which clients look whether a server is there, is neither harmed nor counted.
    """

    def __init__(self, url):
        self.target = url.rstrip("/")
        self.cuts, self.flips, self.busy, self.hidden, self.requests = [], [], [], set(), []
        self.between = lambda: None

    def __enter__(self):
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                proxy.answer(self)

            do_POST = do_GET

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def answer(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        is_ping = handler.path == "/ping"
        if not is_ping:
            self.requests.append((handler.command, handler.path, dict(handler.headers)))
        if self.busy and not is_ping:
            status, seconds = self.busy.pop(0)
            problem = b'{"title": "Busy", "status": %d, "code": "busy", "detail": "the server is busy, try again later"}' % status
            handler.send_response(status)
            handler.send_header("Retry-After", str(seconds))
            handler.send_header("Content-Type", "application/problem+json")
            handler.send_header("Content-Length", str(len(problem)))
            handler.end_headers()
            handler.wfile.write(problem)
            return
        kept = {name: value for name, value in handler.headers.items() if name.lower() not in HOP_BY_HOP}
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request(handler.command, self.target + handler.path, data=body, headers=kept, stream=True, timeout=120)
            content = answer.raw.read(decode_content=False)
        is_harmed = answer.status_code < 300 and not is_ping
        cut = self.cuts.pop(0) if self.cuts and is_harmed else None
        if self.flips and is_harmed:
            at = self.flips.pop(0)
            content = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        handler.send_response(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in HOP_BY_HOP | self.hidden | {"content-length", "server", "date"}:
                handler.send_header(name, value)
        is_chunked = "content-length" not in {name.lower() for name in answer.headers}
        handler.send_header(*(("Transfer-Encoding", "chunked") if is_chunked else ("Content-Length", str(len(content)))))
        handler.end_headers()
        content = content if cut is None else content[:cut]
        with contextlib.suppress(OSError):
            if is_chunked:
                handler.wfile.write(b"%x\r\n%b\r\n" % (len(content), content) if content else b"")
                handler.wfile.write(b"" if cut is not None else b"0\r\n\r\n")
            else:
                handler.wfile.write(content)
            handler.wfile.flush()
            if cut is not None:
                self.between()
                handler.connection.shutdown(socket.SHUT_RDWR)
        handler.close_connection = cut is not None
