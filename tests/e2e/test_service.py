"""The addresses about the service itself, and its documentation."""

import json
import os
import re

import h5py
import numpy as np
import pytest


def test_ping(http):
    answer = http.get("/ping")
    assert (answer.status_code, answer.json()) == (200, {"ping": "pong"})


def test_health(http):
    assert http.get("/healthz").json()["status"] == "ok"


def test_metrics(http):
    http.get("/ping")
    text = http.get("/metrics").text
    assert re.search(r'_total\{.*route="/ping".*\} [1-9]', text), text[:2000]


def test_small_reads_of_the_same_rows_are_decoded_once(start_server, tmp_path):
    values = np.arange(60_000.0).reshape(20_000, 3)
    with h5py.File(tmp_path / "x.h5", "w") as f:
        f.create_dataset("x", data=values, chunks=(1000, 3), compression=1, shuffle=True)
    server = start_server({"": tmp_path})
    with server.session() as session:
        for _ in range(5):
            answer = session.get("/v1/data/x.h5", params={"object": "/x", "rows": "500:1500", "format": "raw"})
            assert answer.content == values[500:1500].tobytes()
        counted = dict(re.findall(r"^apus_(\w+) (\d+)$", session.get("/metrics").text, re.MULTILINE))
        assert (counted["chunk_cache_misses_total"], counted["chunk_cache_hits_total"]) == ("2", "8")
        assert 2 * 24_000 <= int(counted["chunk_cache_bytes"]) < 3 * 24_000
        assert counted["index_cache_misses_total"] == "1"

        # Another file at the same place: nothing of the old one is found.
        os.rename(tmp_path / "x.h5", tmp_path / "old.h5")
        with h5py.File(tmp_path / "x.h5", "w") as f:
            f.create_dataset("x", data=-values, chunks=(1000, 3), compression=1, shuffle=True)
        answer = session.get("/v1/data/x.h5", params={"object": "/x", "rows": "500:1500", "format": "raw"})
        assert answer.content == (-values[500:1500]).tobytes()


def test_openapi_names_every_address(http):
    document = http.get("/openapi.json").json()
    assert document["openapi"].startswith("3.")
    for path in ("/v1/list/{dir}", "/v1/info/{path}", "/v1/object/{path}", "/v1/data/{path}", "/v1/download/{path}", "/hdfstream/msgpack/{path}", "/hdfstream/download/{path}", "/ping", "/healthz"):
        assert path in document["paths"], sorted(document["paths"])
        for operation in document["paths"][path].values():
            assert operation.get("summary") or operation.get("description"), path
    for path in ("/v1/data/{path}", "/hdfstream/msgpack/{path}"):
        assert {"get", "post"} <= set(document["paths"][path])
    parameters = {p["name"] for p in document["paths"]["/v1/data/{path}"]["get"]["parameters"]}
    assert parameters == {"path", "object", "rows", "columns", "format"}
    # Whatever is referred to is there.
    for reference in re.findall(r'"\$ref":\s*"#/([^"]+)"', json.dumps(document)):
        part = document
        for name in reference.split("/"):
            part = part[name]


def test_the_documentation_is_a_page_that_needs_nothing_from_elsewhere(http):
    page = http.get("/docs")
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    scripts = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert scripts
    for script in scripts:
        assert not re.match(r"(https?:)?//", script), f"{script} is fetched from elsewhere"
        found = http.get(page.url.split("?")[0].rstrip("/") + "/" + script.removeprefix("./") if not script.startswith("/") else script)
        assert found.status_code == 200, script


@pytest.mark.parametrize("path", ["/ping", "/v1/list/", "/openapi.json", "/v1/info/data/kelvin_helmholtz_2d.hdf5", "/nowhere"])
def test_every_answer_has_an_id_and_is_taken_at_its_word(http, path):
    first, second = http.get(path), http.get(path)
    assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]
    assert first.headers["X-Content-Type-Options"] == "nosniff"


def test_a_query_is_not_logged(server, http):
    http.get("/v1/list/", params={"token": "hunter2-in-the-query"})
    http.get("/ping", headers={"Authorization": "Bearer hunter2-in-a-header"})
    assert "hunter2" not in server.output
    assert "/v1/list/" in server.output
