"""Every dataset of every file, through /v1/data: what leaves is what h5py decodes, to the bit."""

import hashlib
import io
import json

import h5py
import numpy as np
import pytest

from conftest import MATRIX_SEEDS, MAKE_H5_MATRIX, PACKS, SWIFT_FILES, TEST_DATA, compared, swift_files

# What make_h5_matrix.py writes and Apus need not read: it must then say so, by the name of the filter.
MAY_BE_REFUSED = {
    ("plug.h5", "blosc"): "blosc", ("plug.h5", "blosc2"): "blosc2", ("plug.h5", "bitshuffle"): "bitshuffle",
}

# The matrix gives these, which have no dimension, the shape (1,): numpy.ascontiguousarray makes it so.
SCALARS = ("P/scalar", "many/d150")


def compare(response, expected, where):
    """Compares an npy answer with [shape, dtype, digest]: the array, and the form in which numpy would have saved it."""
    shape, dtype, digest = expected
    assert response.status_code == 200, f"{where}: {response.status_code} {response.text[:500]}"
    array = np.load(io.BytesIO(response.content), allow_pickle=False)
    assert (list(array.shape), array.dtype.str) == (shape, dtype), where
    assert hashlib.sha256(array.tobytes()).hexdigest()[:32] == digest, where
    saved = io.BytesIO()
    np.save(saved, array)
    assert response.content == saved.getvalue(), f"{where}: not the form in which numpy saves it"
    assert int(response.headers["Content-Length"]) == len(response.content), where


def read_anew(path, name):
    """What h5py decodes from the file. For scale-offset the matrix has digests of what its writer found in libhdf5's chunk cache right after
    writing, which no filter had been through yet."""
    with h5py.File(path) as f:
        array = f[name][()]
    return [list(array.shape), array.dtype.str, hashlib.sha256(array.tobytes()).hexdigest()[:32]]


@swift_files
def test_every_dataset_has_its_digest(http, mount, path):
    digests = json.loads((PACKS[mount] / "DIGESTS.json").read_text())[path.name]
    assert digests
    for name, expected in digests.items():
        compare(http.get(f"/v1/data/{mount}/{path.name}", params={"object": f"/{name}"}), expected, f"{path.name}: {name}")
        compared[f"of {'the whole pack' if mount == 'pack' else 'tests/data'} (DIGESTS.json)"] += 1


@pytest.mark.parametrize("mount", list(PACKS)[1:])
def test_files_that_are_tried_once_have_the_same_digests_in_both_folders(mount):
    """Of a file of tests/data that the whole pack has too, only that of the pack is tried: both folders must expect the same of it."""
    here, there = (json.loads((PACKS[name] / "DIGESTS.json").read_text()) for name in ("data", mount))
    tried = {path for _, path in SWIFT_FILES}
    left_out = [path.name for path in TEST_DATA.glob("*.hdf5") if path not in tried]
    assert {name: here[name] for name in left_out} == {name: there[name] for name in left_out}


@pytest.mark.parametrize("seed", MATRIX_SEEDS if MAKE_H5_MATRIX.exists() else ())
def test_every_dataset_of_the_matrix_has_its_digest_or_is_refused_by_name(http, matrix_folders, seed):
    digests = json.loads((matrix_folders[f"matrix{seed}"] / "DIGESTS.json").read_text())
    refused = {}
    for file, datasets in digests.items():
        for name, expected in datasets.items():
            if "DScale" in name:
                expected = read_anew(matrix_folders[f"matrix{seed}"] / file, name)
            if name in SCALARS:
                expected = [[], *expected[1:]]
            response = http.get(f"/v1/data/matrix{seed}/{file}", params={"object": f"/{name}"})
            if response.status_code == 200 or (file, name) not in MAY_BE_REFUSED:
                compare(response, expected, f"{file}: {name}")
                compared[f"of make_h5_matrix.py, seed {seed}"] += 1
            else:
                refused[file, name] = response
    for (file, name), response in refused.items():
        assert 400 <= response.status_code < 500 or response.status_code == 501, f"{file}: {name}: {response.status_code}"
        assert response.headers["Content-Type"] == "application/problem+json"
        assert MAY_BE_REFUSED[file, name] in response.json()["detail"].lower(), response.text
        compared[f"of make_h5_matrix.py, seed {seed}, refused by name"] += 1
