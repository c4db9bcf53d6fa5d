"""Peak memory stays bounded while eight clients stream a field of 2 GB each: whole, masked, as JSON."""

import concurrent.futures
import zlib

import h5py
import numpy as np
import pytest
from requests.adapters import HTTPAdapter

pytestmark = pytest.mark.release

N_CLIENTS = 8
LIMIT_BYTES = 256 << 20
ROWS_PER_CHUNK = 8192
N_CHUNKS = 10_200
N_ROWS = ROWS_PER_CHUNK * N_CHUNKS
FIELD_BYTES = N_ROWS * 3 * 8
NPY_HEADER_BYTES = 128


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    """A folder with two files whose field /x has 2 GB: contiguous, and compressed as SWIFT does it."""
    folder = tmp_path_factory.mktemp("big")
    rng = np.random.default_rng(0)
    chunks = [np.sort(rng.random((ROWS_PER_CHUNK, 3)), 0) for _ in range(4)]
    with h5py.File(folder / "contiguous.h5", "w") as f:
        f.create_dataset("x", shape=(N_ROWS, 3), dtype="f8").id.get_offset()
        block = np.concatenate(chunks * 25)
        for start in range(0, N_ROWS, len(block)):
            f["x"][start : start + len(block)] = block[: N_ROWS - start]
    stored = [zlib.compress(chunk.view("u1").reshape(-1, 8).T.tobytes(), 1) for chunk in chunks]
    with h5py.File(folder / "gzip.h5", "w") as f:
        x = f.create_dataset("x", shape=(N_ROWS, 3), dtype="f8", chunks=(ROWS_PER_CHUNK, 3), shuffle=True, compression="gzip")
        for i in range(N_CHUNKS):
            x.id.write_direct_chunk((i * ROWS_PER_CHUNK, 0), stored[i % 4])
        assert np.array_equal(x[ROWS_PER_CHUNK : 2 * ROWS_PER_CHUNK], chunks[1])
    assert 2_000_000_000 <= FIELD_BYTES
    yield folder
    for path in folder.iterdir():
        path.unlink()


def stream(session, request, expected_bytes):
    """Reads an answer to its end; gives how many bytes came."""
    with session.request(**request, stream=True) as response:
        assert response.status_code == 200, response.text
        response.raw.decode_content = False
        n = 0
        while block := response.raw.read(1 << 20):
            n += len(block)
    if expected_bytes is not None:
        assert n == expected_bytes
    return n


def requests_for(form):
    """One request for each client, half of them to each file, and the bytes that they must bring."""
    ranges = [[start, start + 5000] for start in range(100, N_ROWS - 5000, 10_000)]
    for i in range(N_CLIENTS):
        url = f"/v1/data/{('contiguous', 'gzip')[i % 2]}.h5"
        if form == "whole":
            yield {"method": "GET", "url": url, "params": {"object": "/x"}}, FIELD_BYTES + NPY_HEADER_BYTES
        elif form == "masked":
            yield {"method": "POST", "url": url, "json": {"object": "/x", "rows": ranges}}, len(ranges) * 5000 * 3 * 8 + NPY_HEADER_BYTES
        else:
            yield {"method": "GET", "url": url, "params": {"object": "/x", "format": "json"}}, None


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("form", ["whole", "masked", "json"])
def test_peak_memory_with_eight_clients(start_server, big, form):
    server = start_server({"": big})
    with server.session() as session:
        session.mount("http://", HTTPAdapter(pool_maxsize=N_CLIENTS))
        before = server.peak_memory_bytes()
        with concurrent.futures.ThreadPoolExecutor(N_CLIENTS) as clients:
            streams = [clients.submit(stream, session, request, n) for request, n in requests_for(form)]
            size_bytes = [s.result() for s in streams]
    peak = server.peak_memory_bytes()
    print(f"{form}: {sum(size_bytes) / 1e9:.1f} GB to {N_CLIENTS} clients, peak memory {peak >> 20} MiB, {before >> 20} MiB before")
    if form == "json":
        assert min(size_bytes) >= FIELD_BYTES
    assert peak < LIMIT_BYTES
