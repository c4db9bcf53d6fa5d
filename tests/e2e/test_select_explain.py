"""explain=true of /v1/select: the numbers, counted by h5py; and what a service may cost meanwhile."""

import socket
import time
import urllib.parse

import h5py
import numpy as np
import pytest

from conftest import REPOSITORY, TEST_DATA
from select_reference import arrays_of, box_sides

GAS = TEST_DATA / "cosmo_box_lossy_nogzip.hdf5"
MANY = TEST_DATA / "cosmo_box_many_chunks.hdf5"


def test_rows_bytes_cells_and_chunks(http):
    with h5py.File(MANY) as f:
        sides = box_sides(f)
        n, chunk = len(f["PartType0/Masses"]), f["PartType0/Masses"].chunks
        n_cells = len(f["Cells/Centres"])
        if "MinPositions" not in f["Cells"]:
            n_cells = None
    params = {"fields": "gas.coordinates,gas.masses", "sphere": f"{sides[0] / 2},{sides[1] / 2},{sides[2] / 2},{sides[0] / 20}", "explain": "true"}
    answer = http.get(f"/v1/select/data/{MANY.name}", params=params)
    assert answer.status_code == 200, answer.text
    explained = answer.json()
    [group] = explained["groups"]
    assert (group["name"], group["n_rows"]) == ("gas", n)
    assert group["n_candidates"] < n and not group["is_exact"]
    assert 0 < group["cells"]["touched"] < group["cells"]["total"] == n_cells
    masses = next(field for field in group["fields"] if field["name"] == "gas.masses")
    chunks = masses["chunks"]
    assert chunks["total"] == -(-n // chunk[0]) == chunks["touched"] + chunks["skipped"]
    assert masses["size_bytes_at_most"] == masses["row_bytes"] * group["n_candidates"]
    assert [read["path"] for read in group["looked_at"]] == ["/PartType0/Coordinates"]
    del params["explain"]
    assert len(arrays_of(http.get(f"/v1/select/data/{MANY.name}", params=params))["gas.masses"]) <= group["n_rows_at_most"]


def test_what_needs_no_looking_is_exact(http):
    params = {"fields": "gas.masses", "explain": "true"}
    [group] = http.get(f"/v1/select/data/{GAS.name}", params=params).json()["groups"]
    assert group["is_exact"] and group["n_candidates"] == group["n_rows"] == group["n_rows_at_most"] and group["looked_at"] == []
    [group] = http.get(f"/v1/select/data/{GAS.name}", params=params | {"where": "temperatures > 1e5 K and velocities.x > 0", "limit": 10}).json()["groups"]
    assert not group["is_exact"] and group["n_rows_at_most"] == 10
    assert [read["path"] for read in group["looked_at"]] == ["/PartType0/Temperatures", "/PartType0/Velocities"]


def test_a_condition_that_keeps_a_hundredth_sends_a_hundredth(start_server):
    server = start_server({"demo": REPOSITORY / "demo"})
    name = "cosmic_web_0002.hdf5"
    with h5py.File(REPOSITORY / "demo" / name) as f:
        temperatures = f["PartType0/Temperatures"][()]
    distinct = np.unique(temperatures)
    threshold = float(distinct[np.searchsorted(distinct, np.quantile(temperatures, 0.99))])
    with server.session() as http:
        whole = http.get(f"/v1/select/demo/{name}", params={"fields": "gas.coordinates,gas.masses"})
        part = http.get(f"/v1/select/demo/{name}", params={"fields": "gas.coordinates,gas.masses", "where": f"temperatures > {threshold!r} K"})
        assert len(arrays_of(part)["gas.masses"]) == (temperatures > np.float32(threshold)).sum()
        assert len(part.content) < 0.013 * len(whole.content)


def test_memory_is_bounded_and_cancelled_requests_stop(start_server, tmp_path):
    """Thirty clients that ask for everything and go away: the service goes on, and holds no more than for one."""
    n = 3_000_000
    path = tmp_path / "large.hdf5"
    with h5py.File(GAS) as source, h5py.File(path, "w") as f:
        for name in ("Header", "Units", "Cosmology"):
            source.copy(name, f)
        gas = f.create_group("PartType0")
        for field in ("Coordinates", "Velocities", "Masses", "ParticleIDs"):
            stored = source["PartType0"][field]
            values = np.resize(stored[()], (n, *stored.shape[1:]))
            made = gas.create_dataset(field, data=values, chunks=(8192, *stored.shape[1:]))
            for key, value in stored.attrs.items():
                made.attrs[key] = value
    server = start_server({"large": tmp_path})
    with server.session() as http:
        for form in ("npz", "arrow", "csv", "json", "parquet"):
            for _ in range(6):
                params = {"fields": "gas.*", "where": "masses >= 0 and velocities.x < 1e30 km/s", "format": form}
                with http.get("/v1/select/large/large.hdf5", params=params, stream=True) as answer:
                    assert answer.status_code == 200
                    next(answer.iter_content(1000))
        arrays = arrays_of(http.get("/v1/select/large/large.hdf5", params={"fields": "gas.masses,gas.coordinates", "sphere": "1,1,1,0.3"}))
        assert arrays["gas.masses"].size
    assert server.peak_memory_bytes() < 500 << 20


@pytest.mark.parametrize("form", ["npz", "arrow"])
def test_a_request_whose_client_is_gone_reads_no_further(start_server, tmp_path, form):
    """Before the first byte, and where rows leave as they are found; no row here ever does."""
    n = 16_000_000
    path = tmp_path / "long.hdf5"
    with h5py.File(GAS) as source, h5py.File(path, "w", libver="latest") as f:
        for name in ("Header", "Units", "Cosmology"):
            source.copy(name, f)
        stored = source["PartType0/Temperatures"]
        made = f.create_dataset("PartType0/Temperatures", data=np.resize(stored[()], n), chunks=(8192,))
        made.attrs.update(stored.attrs)
    # Much to calculate, so that there is time to go away.
    where = " or ".join(["sqrt(abs(temperatures - temperatures)) > 0"] * 5)
    asked = urllib.parse.urlencode({"fields": "gas.temperatures", "where": where, "format": form})
    server = start_server({"": tmp_path})
    with server.session() as http:

        def wait_until(condition):
            end = time.monotonic() + 60
            while not condition():
                assert time.monotonic() < end
            return http.counted("file_read_bytes_total")

        address = urllib.parse.urlsplit(server.url)
        with socket.create_connection((address.hostname, address.port)) as connection:
            connection.sendall(f"GET /v1/select/long.hdf5?{asked} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            wait_until(lambda: http.counted("file_read_bytes_total") > 1 << 20)
        when_stopped = wait_until(lambda: http.counted("reads_in_progress") == http.counted("answers_in_progress") == 0)
        assert 1 << 20 < when_stopped < 2 * n
        # Who stays makes it read all.
        assert http.get(f"/v1/select/long.hdf5?{asked}").status_code == 200
        assert http.counted("file_read_bytes_total") - when_stopped >= 4 * n
