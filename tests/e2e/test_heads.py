"""Request heads as bytes: what a client library would never send."""

import json
import re
import socket
import urllib.parse

import pytest


def talk(server, data, chunks=None):
    """What the server answers until it ends the connection: `(status, headers, body)` of each answer."""
    where = urllib.parse.urlsplit(server.url)
    with socket.create_connection((where.hostname, where.port), timeout=60) as connection:
        for piece in chunks or [data]:
            connection.sendall(piece)
        received = b""
        while piece := connection.recv(1 << 16):
            received += piece
    answers = []
    while received:
        head, _, received = received.partition(b"\r\n\r\n")
        status = int(head.split()[1])
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head.decode().split("\r\n")[1:])}
        length = int(headers.get("content-length", 0))
        body, received = received[:length], received[length:]
        answers.append((status, headers, body))
    return answers


def check_problem(answer, status, word):
    assert answer[0] == status, answer
    assert answer[1]["content-type"] == "application/problem+json"
    problem = json.loads(answer[2])
    assert problem["status"] == status and word in problem["detail"], problem


GOOD = b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET /ping HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
LONG = b"x" * 100_000


def test_a_good_head(server):
    for answer in talk(server, GOOD + GOOD + LAST):
        assert answer[0] == 200 and json.loads(answer[2]) == {"ping": "pong"}


@pytest.mark.parametrize(
    ("head", "status", "word"),
    [
        (b"GET /ping HTTP/1.1\r\n\r\n", 400, "no Host"),
        (b"GET /ping HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "2 Host"),
        (b"GET /ping HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400, "2 Host"),
        (b"GET /ping HTTP/1.1\nHost: a\r\n\r\n", 400, "LF"),
        (b"GET /ping HTTP/1.1\r\nHost: a\n\r\n", 400, "LF"),
        (b"GET /ping HTTP/1.1\r\nHost: a\r\n\n", 400, "LF"),
        (b"GET /ping HTTP/1.1\nHost: a\n\n", 400, "LF"),
        (b"GET /ping HTTP/1.1\r\nHost: a\r\nA: b\nContent-Length: 5\r\n\r\n", 400, "LF"),
        (b"GET /ping HTTP/1.1\r\nHost: a\r\nA: " + LONG + b"\r\n\r\n", 431, "49152"),
        (b"GET /ping HTTP/1.1\r\nHost: a\r\n" + b"".join(b"A%d: b\r\n" % i for i in range(300)) + b"\r\n", 431, "99 header lines"),
        (b"GET /ping HTTP/1.1\r\nHost: a\r\nA: " + 8 * LONG + b"\r\n\r\n", 431, "49152"),
        (b"GET /ping?" + LONG + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414, "POST"),
    ],
)
def test_heads_that_are_refused_with_problem_details(server, head, status, word):
    for chunks in (None, [head[i : i + 1000] for i in range(0, len(head), 1000)]):
        answers = talk(server, head, chunks)
        assert len(answers) == 1
        check_problem(answers[0], status, word)
        assert answers[0][1]["connection"] == "close"


def test_a_head_without_host_of_the_old_protocol(server):
    [answer] = talk(server, b"GET /ping HTTP/1.0\r\n\r\n")
    assert answer[0] == 200


def test_what_follows_a_refused_head_is_no_request(server):
    """A proxy that takes the LF for a part of the value has sent one request; so it must be for the server."""
    [answer] = talk(server, b"GET /ping HTTP/1.1\r\nHost: a\r\nA: b\n\r\n" + GOOD)
    check_problem(answer, 400, "LF")


def test_heads_behind_bodies_are_looked_at_too(server):
    body = b'{"object": "/x"}\n\n'
    post = b"POST /v1/data/nowhere.hdf5 HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    stream = post + GOOD + post + b"GET /ping HTTP/1.1\r\nHost: a\n\r\n" + GOOD
    for size in (len(stream), 7):
        answers = talk(server, stream, [stream[i : i + size] for i in range(0, len(stream), size)])
        assert [answer[0] for answer in answers] == [404, 200, 404, 400]
        check_problem(answers[-1], 400, "LF")


def test_a_connection_ends_with_a_body_of_unknown_length(server):
    """Where it ends is hyper's to know alone: the next head could not be told from it."""
    chunked = b"POST /v1/data/nowhere.hdf5 HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"object\": \"/x\"}\r\n0\r\n\r\n"
    [answer] = talk(server, chunked + b"GET /ping HTTP/1.1\nHost: a\n\n")
    assert answer[0] == 404 and answer[1]["connection"] == "close"


def test_methods_that_are_invented_are_counted_together(server, http):
    for i in range(50):
        assert http.request(f"INVENTED{i}", "/ping").status_code == 405
    metrics = http.get("/metrics").text
    assert "INVENTED" not in metrics
    assert re.search(r'apus_http_requests_total\{[^}]*method="other"[^}]*\} 50', metrics), metrics
