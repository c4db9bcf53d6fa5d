"""All forms of indexing that the client supports, on datasets of several layouts, beside numpy."""

import h5py
import hdfstream
import numpy as np
import pytest

hdfstream.disable_progress(True)
N = 50_000


@pytest.fixture(scope="module")
def truth():
    rng = np.random.default_rng(5)
    return {
        "contiguous": rng.random((N, 3)),
        "gzip": rng.random((N, 3)).astype("f4"),
        "columns": rng.integers(0, 1 << 60, (N, 9)),
        "one_dimension": rng.integers(-9, 9, N).astype("i2"),
        "cube": rng.random((200, 31, 17)),
        "big_endian": rng.random(N),
    }


@pytest.fixture(scope="module")
def remote(server, scratch, truth):
    with h5py.File(scratch / "indexing.hdf5", "w") as f:
        f["contiguous"] = truth["contiguous"]
        f.create_dataset("gzip", data=truth["gzip"], chunks=(1000, 3), compression="gzip", shuffle=True, fletcher32=True)
        f.create_dataset("columns", data=truth["columns"], chunks=(777, 1), compression="lzf")
        f.create_dataset("one_dimension", data=truth["one_dimension"], chunks=(4096,))
        f.create_dataset("cube", data=truth["cube"], chunks=(50, 10, 10), compression="gzip")
        f["big_endian"] = truth["big_endian"].astype(">f8")
        f["scalar"] = 3.5
        f["text"] = ["a", "", "größer"]
        f["fixed_text"] = np.array([b"Gas", b"DM"], "S8")
        f["empty"] = np.zeros((0, 3))
        f["flags"] = np.array([True, False, True])
        f["records"] = np.array([(1, 2.5, b"x"), (3, 4.5, b"yy")], dtype=[("a", "i4"), ("b", "f8"), ("c", "S4")])
        f["opaque"] = np.array([b"ab", b"cd"], "V2")
        f["reference"] = np.array([f["scalar"].ref], dtype=h5py.ref_dtype)
        f.create_dataset("sequences", (2,), dtype=h5py.vlen_dtype("i4"))
        f["sequences"][0] = [1, 2, 3]
        f.attrs["nothing"] = h5py.Empty("f4")
        f["dangling"] = h5py.SoftLink("/nowhere")
        f["größe"] = np.arange(3)
    # Nothing comes along with the metadata, so that every access is a request.
    return hdfstream.open(f"{server.url}hdfstream", "scratch/indexing.hdf5", data_size_limit=0)


INDICES = {
    "all": (Ellipsis,),
    "one row": (17,),
    "last row": (-1,),
    "rows": (slice(5, 20_000),),
    "open end": (slice(49_990, None),),
    "negative": (slice(-10, -2),),
    "beyond the end": (slice(49_999, 60_000),),
    "nothing": (slice(7, 7),),
    "a list": ([3, 1, 1, 40_000, 2],),
    "an empty list": ([],),
    "an index array": (np.arange(0, N, 7),),
    "a shuffled index array": (np.random.default_rng(1).permutation(N)[:3000],),
    "a mask": (np.random.default_rng(2).random(N) < 0.3,),
}


@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES)
@pytest.mark.parametrize("name", ["contiguous", "gzip", "columns", "one_dimension", "big_endian"])
def test_rows(remote, truth, name, index):
    np.testing.assert_array_equal(remote[name][index if len(index) > 1 else index[0]], truth[name][index])


@pytest.mark.parametrize("index", [np.s_[:, 0], np.s_[5:17, 1:3], np.s_[3, 2], np.s_[:, -1], np.s_[..., 1], np.s_[[1, 5], :]])
@pytest.mark.parametrize("name", ["contiguous", "gzip", "columns"])
def test_rows_and_columns(remote, truth, name, index):
    np.testing.assert_array_equal(remote[name][index], truth[name][index])


@pytest.mark.parametrize("index", [np.s_[...], np.s_[3:150, 5:20, 16], np.s_[:, 30, :], np.s_[7, 8, 9], np.s_[[3, 9], 5:20, 2:4]])
def test_three_dimensions(remote, truth, index):
    np.testing.assert_array_equal(remote["cube"][index], truth["cube"][index])


@pytest.mark.parametrize("name", ["contiguous", "gzip", "columns"])
def test_slices_into_a_buffer(remote, truth, name):
    slices = [np.s_[10:20], np.s_[20:21], np.s_[30_000:49_000], np.s_[49_999:50_000]]
    rows = np.concatenate([np.arange(N)[s] for s in slices])
    into = np.zeros((len(rows), truth[name].shape[1]), truth[name].dtype)
    remote[name].request_slices(slices, dest=into)
    np.testing.assert_array_equal(into, truth[name][rows])
    into = np.zeros((50, truth[name].shape[1]), truth[name].dtype)
    remote[name].read_direct(into, np.s_[100:150])
    np.testing.assert_array_equal(into, truth[name][100:150])


def test_other_types(remote):
    assert remote["scalar"][()] == 3.5
    assert list(remote["text"][...]) == ["a", "", "größer"]
    assert list(remote["fixed_text"][...]) == [b"Gas", b"DM"]
    assert remote["empty"][...].shape == (0, 3)
    np.testing.assert_array_equal(remote["flags"][...], [True, False, True])
    records = remote["records"][...]
    assert records.dtype.names == ("a", "b", "c") and records.tolist() == [(1, 2.5, b"x"), (3, 4.5, b"yy")]
    assert remote["opaque"][...].tobytes() == b"abcd"
    assert remote["reference"][...].dtype.kind == "V"
    assert [list(v) for v in remote["sequences"][...]] == [[1, 2, 3], []]
    assert remote["/"].attrs["nothing"].shape == (0,)
    np.testing.assert_array_equal(remote["größe"][...], [0, 1, 2])
    with pytest.raises(hdfstream.exceptions.HDFStreamRequestError, match="nowhere"):
        remote.connection.request_object("scratch/indexing.hdf5", "/dangling", 0, 0)
