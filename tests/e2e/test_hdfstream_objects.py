"""Every object of every file, through the real client, beside what h5py reads from the file itself."""

import hashlib
import json

import h5py
import hdfstream
import numpy as np
import pytest

from conftest import PACKS, compared, swift_files

hdfstream.disable_progress(True)
DIGESTS = {mount: json.loads((folder / "DIGESTS.json").read_text()) for mount, folder in PACKS.items()}


@pytest.fixture(scope="session")
def root(server):
    return hdfstream.open(f"{server.url}hdfstream", "/")


@swift_files
def test_attributes_types_and_contents_are_h5pys(root, mount, path):
    with h5py.File(path) as local:
        remote = root[f"{mount}/{path.name}"]
        names = []
        local.visit(names.append)
        seen = []
        remote.visititems(lambda name, _: seen.append(name))
        # h5py visits each object once, by hard links; the client goes through soft links too.
        assert set(names) <= set(seen)
        same_attributes(remote["/"], local)
        for name in names:
            try:
                here = local[name]
            except (OSError, KeyError):
                # A type that current libhdf5 refuses, though older ones read it: the digest tells.
                shape, dtype, digest = DIGESTS[mount][path.name][name]
                there = remote[name]
                assert [list(there.shape), there.dtype.str] == [shape, dtype], name
                assert hashlib.sha256(np.ascontiguousarray(there[...]).tobytes()).hexdigest()[:32] == digest, name
                continue
            same_attributes(remote[name], here)
            if isinstance(here, h5py.Dataset):
                there = remote[name]
                assert there.shape == here.shape, name
                assert there.dtype == here.dtype.newbyteorder("<"), name
                same_values(there[...], here[...], name)
                compared["datasets equal h5py's through hdfstream"] += 1


@swift_files
def test_links_are_what_they_are_in_the_file(root, mount, path):
    with h5py.File(path) as local:
        remote = root[f"{mount}/{path.name}"]
        assert sorted(remote.keys()) == sorted(local.keys())
        for name in local:
            link = local.get(name, getlink=True)
            soft = remote.get(name, getlink=True)
            assert isinstance(soft, hdfstream.SoftLink) == isinstance(link, h5py.SoftLink), name
            if isinstance(link, h5py.SoftLink):
                assert soft.path == link.path
                assert sorted(remote[name].keys()) == sorted(local[name].keys())
            assert name in remote
        assert "PartType0/NoSuchField" not in remote
        with pytest.raises(KeyError):
            remote["NoSuchGroup"]


def same_attributes(remote, local):
    assert sorted(remote.attrs) == sorted(local.attrs), local.name
    for name in local.attrs:
        same_values(remote.attrs[name], local.attrs[name], f"{local.name}@{name}")


def same_values(there, here, name):
    if isinstance(here, h5py.Empty):
        assert np.size(there) == 0, name
        return
    assert np.shape(there) == np.shape(here), name
    if isinstance(here, (str, np.ndarray)) and np.asarray(here).dtype == object:
        decoded = [v.decode() if isinstance(v, bytes) else v for v in np.ravel(here)]
        assert list(np.ravel(there)) == decoded, name
        return
    there, here = np.asarray(there), np.asarray(here)
    if here.dtype.kind != "U":
        assert there.dtype == here.dtype.newbyteorder("<"), name
    assert there.tobytes() == here.astype(here.dtype.newbyteorder("<")).tobytes(), name
