"""What conditions have seen of chunks is remembered: the second time, only chunks that can match are read.

Bytes are those that the service says to have read from files; what they should be is counted from the chunks that h5py finds.
"""

import os

import h5py
import numpy as np
import pytest

from conftest import TEST_DATA
from select_reference import arrays_of, same

GAS = TEST_DATA / "cosmo_box_lossy_nogzip.hdf5"
MANY = TEST_DATA / "cosmo_box_many_chunks.hdf5"
CHUNK_ROWS = 8192
N_CHUNKS = 60
# The last chunk is not full.
N_ROWS = CHUNK_ROWS * N_CHUNKS - 1000
# Less than the least chunk here: what may lie between chunks in a file.
SLACK_BYTES = 2048


def write(path, **fields):
    """A file of gas with these fields, compressed as SWIFT does it, and with its attributes."""
    with h5py.File(GAS) as source, h5py.File(path, "w", libver="latest") as f:
        for name in ("Header", "Units", "Cosmology"):
            source.copy(name, f)
        gas = f.create_group("PartType0")
        for name, values in fields.items():
            made = gas.create_dataset(name, data=values, chunks=(CHUNK_ROWS, *values.shape[1:]), compression=4, shuffle=True, fletcher32=True)
            for key, value in source["PartType0"][name].attrs.items():
                made.attrs[key] = value


def sorted_gas(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "Temperatures": np.sort(rng.random(N_ROWS).astype("f4")) * np.float32(1e6),
        "Masses": rng.random(N_ROWS).astype("f4"),
        "Coordinates": rng.random((N_ROWS, 3)),
        "ParticleIDs": rng.permutation(N_ROWS),
    }


def chunk_bytes(path, field, rows=None):
    """What the chunks of a field take in the file: all, or those that hold any of these rows."""
    with h5py.File(path) as f:
        dataset = f["PartType0"][field]
        wanted = None if rows is None else set(np.asarray(rows) // dataset.chunks[0])
        chunks = (dataset.id.get_chunk_info(i) for i in range(dataset.id.get_num_chunks()))
        return sum(chunk.size for chunk in chunks if wanted is None or chunk.chunk_offset[0] // dataset.chunks[0] in wanted)


class Asked:
    """An answer, and the bytes that were read from files for it."""

    def __init__(self, http, url, **params):
        before = http.counted("file_read_bytes_total")
        self.answer = http.get(url, params=params)
        assert self.answer.status_code == 200, self.answer.text
        self.read_bytes = http.counted("file_read_bytes_total") - before


@pytest.fixture
def gas(start_server, tmp_path):
    """A server without a cache of chunks, a file, and its fields."""
    folder = tmp_path / "files"
    folder.mkdir()
    fields = sorted_gas()
    write(folder / "gas.hdf5", **fields)
    server = start_server({"": folder}, "--chunk-cache-bytes", "0")
    with server.session() as http:
        yield http, folder / "gas.hdf5", fields


def test_the_second_time_only_chunks_that_can_match_are_read(gas):
    http, path, fields = gas
    temperatures = fields["Temperatures"]
    threshold = float(temperatures[int(0.99 * N_ROWS)])
    rows = np.flatnonzero(temperatures > np.float32(threshold))
    assert 0.009 * N_ROWS < len(rows) <= 0.01 * N_ROWS
    asked = {"fields": "gas.coordinates,gas.particle_ids", "where": f"temperatures > {threshold!r} K and masses >= 0"}
    url = f"/v1/select/{path.name}"

    [before] = http.get(url, params=asked | {"explain": "true"}).json()["groups"]
    assert (before["n_candidates"], before["n_ruled_out"]) == (N_ROWS, 0)
    assert all(read["chunks"]["ruled_out"] == 0 for read in before["looked_at"] + before["fields"])

    first, second = Asked(http, url, **asked), Asked(http, url, **asked)
    for answer in (first.answer, second.answer):
        arrays = arrays_of(answer)
        assert same(arrays["gas.coordinates"], fields["Coordinates"][rows])
        assert same(arrays["gas.particle_ids"], fields["ParticleIDs"][rows])
    whole_bytes = fields["Coordinates"].nbytes + fields["ParticleIDs"].nbytes
    assert 0.009 * whole_bytes < len(second.answer.content) < 0.011 * whole_bytes

    looked_at, left = ("Temperatures", "Masses"), ("Coordinates", "ParticleIDs")
    needed = sum(chunk_bytes(path, field, rows) for field in looked_at + left)
    everything = sum(chunk_bytes(path, field) for field in looked_at) + sum(chunk_bytes(path, field, rows) for field in left)
    assert everything <= first.read_bytes
    assert needed <= second.read_bytes < needed + SLACK_BYTES
    assert needed < 0.1 * everything

    chunks = np.unique(rows // CHUNK_ROWS)
    n_left = sum(min(CHUNK_ROWS, N_ROWS - chunk * CHUNK_ROWS) for chunk in chunks)
    explained = Asked(http, url, **asked, explain="true")
    assert explained.read_bytes == 0
    [after] = explained.answer.json()["groups"]
    assert (after["n_candidates"], after["n_ruled_out"]) == (n_left, N_ROWS - n_left)
    for read in after["looked_at"] + after["fields"]:
        assert read["chunks"] == {"total": N_CHUNKS, "touched": len(chunks), "skipped": N_CHUNKS - len(chunks), "ruled_out": N_CHUNKS - len(chunks)}, read


def test_what_one_condition_saw_serves_another(gas):
    """Statistics are of columns: other thresholds, arithmetic, regions and forms use them too."""
    http, path, fields = gas
    temperatures, masses, x = fields["Temperatures"], fields["Masses"], fields["Coordinates"]
    url = f"/v1/select/{path.name}"
    Asked(http, url, fields="gas.masses", where="temperatures < 0 K and masses < 0", format="arrow")
    Asked(http, url, fields="gas.particle_ids", limit=1)  # now it is known where their chunks are
    low, high = (float(temperatures[i]) for i in (20 * CHUNK_ROWS + 5, 22 * CHUNK_ROWS + 5))
    rows = np.flatnonzero((temperatures >= low) & (temperatures < high))
    for where, kept in [
        (f"temperatures in [{low!r} K, {high!r} K)", rows),
        (f"not (temperatures < {low!r} K or temperatures >= {high!r} K)", rows),
        (f"abs(2 * temperatures - {low + high!r} K) < {high - low!r} K", np.flatnonzero(np.abs(2 * temperatures.astype("f8") - (low + high)) < high - low)),
        (f"temperatures >= {low!r} K and masses > 1e20 g; temperatures < {high!r} K", np.intersect1d(rows, np.flatnonzero(masses > 0))),
    ]:
        asked = Asked(http, url, fields="gas.particle_ids", where=where)
        assert same(arrays_of(asked.answer)["gas.particle_ids"], fields["ParticleIDs"][kept]), where
        looked_at = ("Temperatures", "Masses") if "masses" in where else ("Temperatures",)
        needed = sum(chunk_bytes(path, field, kept) for field in (*looked_at, "ParticleIDs"))
        assert needed <= asked.read_bytes < needed + SLACK_BYTES, where
    # Nothing can match: nothing is read.
    asked = Asked(http, url, fields="gas.particle_ids", where=f"temperatures > {float(temperatures[-1])!r} K")
    assert arrays_of(asked.answer)["gas.particle_ids"].shape == (0,) and asked.read_bytes == 0
    # Strides and limits count rows that match, wherever they are; regions are exact as ever.
    more = {"fields": "gas.particle_ids", "where": f"temperatures >= {low!r} K", "box": "0,0.5,,,,"}
    kept = np.flatnonzero((temperatures >= low) & (x[:, 0] < 0.5))
    found = arrays_of(http.get(url, params=more | {"stride": 7, "limit": 900}))["gas.particle_ids"]
    assert same(found, fields["ParticleIDs"][kept[::7][:900]])


def test_a_part_that_was_not_seen_is_not_ruled_out(gas):
    http, path, fields = gas
    url = f"/v1/select/{path.name}"
    temperatures = fields["Temperatures"]
    # The limit ends the first scan long before the last chunk.
    Asked(http, url, fields="gas.masses", where="temperatures >= 0 K", limit=10)
    [explained] = http.get(url, params={"fields": "gas.masses", "where": "temperatures < 0 K", "explain": "true"}).json()["groups"]
    assert 0 < explained["n_candidates"] < N_ROWS
    threshold = float(temperatures[-100])
    found = arrays_of(http.get(url, params={"fields": "gas.masses", "where": f"temperatures > {threshold!r} K"}))["gas.masses"]
    assert same(found, fields["Masses"][temperatures > np.float32(threshold)])


def test_of_a_replaced_file_nothing_is_known(gas):
    http, path, fields = gas
    url = f"/v1/select/{path.name}"
    threshold = float(fields["Temperatures"][N_ROWS // 2])
    asked = {"fields": "gas.particle_ids", "where": f"temperatures > {threshold!r} K"}
    for seed in (0, 1):
        for _ in range(2):
            found = arrays_of(http.get(url, params=asked))["gas.particle_ids"]
            assert same(found, fields["ParticleIDs"][fields["Temperatures"] > np.float32(threshold)])
        fields = {name: values[::-1].copy() for name, values in sorted_gas(seed + 1).items()}
        write(path.with_name("new"), **fields)
        os.replace(path.with_name("new"), path)


def test_a_virtual_file_draws_on_its_parts(start_server, tmp_path):
    """Statistics of a virtual dataset go with the identities of all its parts: one that is replaced makes all of it unknown."""
    folder = tmp_path / "files"
    folder.mkdir()
    parts = [sorted_gas(seed) for seed in range(2)]
    for i, part in enumerate(parts):
        write(folder / f"part.{i}.hdf5", **part)
    write(folder / "whole.hdf5", **parts[0])
    with h5py.File(folder / "whole.hdf5", "r+", libver="latest") as f:
        for name, values in parts[0].items():
            layout = h5py.VirtualLayout((2 * N_ROWS, *values.shape[1:]), values.dtype)
            for i in range(2):
                layout[i * N_ROWS : (i + 1) * N_ROWS] = h5py.VirtualSource(f"part.{i}.hdf5", f"PartType0/{name}", values.shape)
            attributes = dict(f["PartType0"][name].attrs)
            del f["PartType0"][name]
            made = f["PartType0"].create_virtual_dataset(name, layout)
            made.attrs.update(attributes)
    server = start_server({"": folder}, "--chunk-cache-bytes", "0")
    with server.session() as http:
        for replaced in (False, True):
            if replaced:
                parts[1] = {name: values[::-1].copy() for name, values in sorted_gas(9).items()}
                write(folder / "new", **parts[1])
                os.replace(folder / "new", folder / "part.1.hdf5")
            with h5py.File(folder / "whole.hdf5") as f:
                temperatures, ids = f["PartType0/Temperatures"][()], f["PartType0/ParticleIDs"][()]
            threshold = float(np.sort(temperatures)[int(0.99 * len(temperatures))])
            asked = {"fields": "gas.particle_ids", "where": f"temperatures > {threshold!r} K"}
            first, second = (Asked(http, "/v1/select/whole.hdf5", **asked) for _ in range(2))
            kept = temperatures > np.float32(threshold)
            for answer in (first.answer, second.answer):
                assert same(arrays_of(answer)["gas.particle_ids"], ids[kept])
            looked_at = sum(chunk_bytes(folder / f"part.{i}.hdf5", "Temperatures") for i in range(2))
            assert second.read_bytes < first.read_bytes - 0.8 * looked_at


@pytest.mark.parametrize("limit_bytes", [0, 1000])
def test_no_more_is_kept_than_shall_be(start_server, tmp_path, limit_bytes):
    """None at all, or less than this column takes."""
    folder = tmp_path / "files"
    folder.mkdir()
    write(folder / "gas.hdf5", **sorted_gas())
    server = start_server({"": folder}, "--chunk-cache-bytes", "0", "--statistics-cache-bytes", str(limit_bytes))
    with server.session() as http:
        for _ in range(2):
            asked = Asked(http, "/v1/select/gas.hdf5", fields="gas.masses", where="temperatures < 0 K")
            assert asked.read_bytes >= chunk_bytes(folder / "gas.hdf5", "Temperatures")
        assert http.counted("statistics_cache_bytes") == http.counted("statistics_cache_hits_total") == 0


@pytest.mark.parametrize("path", [GAS, MANY], ids=lambda path: path.stem)
def test_answers_stay_what_numpy_says_whatever_is_remembered(start_server, path):
    """Random conditions on a file by SWIFT, one after the other, so that ever more is known."""
    server = start_server({"": TEST_DATA})
    rng = np.random.default_rng(5)
    compare = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal, "!=": np.not_equal}
    with h5py.File(path) as f:
        gas = f["PartType0"]
        ids = gas["ParticleIDs"][()]
        columns = {"temperatures": gas["Temperatures"][()], "element_mass_fractions[0]": gas["ElementMassFractions"][:, 0], "particle_ids": ids}
    url, n_ruled_out = f"/v1/select/{path.name}", 0
    with server.session() as http:
        for _ in range(60):
            tests, masks = [], []
            for name in rng.choice(list(columns), 2, replace=False):
                values = columns[name]
                threshold = np.sort(values)[int(rng.choice([0, 0.01, 0.5, 0.99, 1]) * (len(values) - 1))]
                operator = str(rng.choice(list(compare)))
                tests.append(f"{name} {operator} {threshold.item()!r}{' K' if name == 'temperatures' else ''}")
                masks.append(compare[operator](values, threshold))
            word = str(rng.choice(["and", "or", "and not"]))
            kept = {"and": masks[0] & masks[1], "or": masks[0] | masks[1], "and not": masks[0] & ~masks[1]}[word]
            asked = {"fields": "gas.particle_ids", "where": f" {word} ".join(tests)}
            [group] = http.get(url, params=asked | {"explain": "true"}).json()["groups"]
            n_ruled_out += group["n_ruled_out"]
            assert same(arrays_of(http.get(url, params=asked))["gas.particle_ids"], ids[kept]), asked
    assert n_ruled_out > 0
