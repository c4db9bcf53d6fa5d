"""Every object of every file, through the real client, beside what h5py reads from the file itself."""

import hashlib
import json

import h5py
import hdfstream
import numpy as np
import pytest
from h5py import h5a, h5d, h5s, h5t
from hdfstream.exceptions import HDFStreamRequestError

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


NESTED = h5t.vlen_create(h5t.vlen_create(h5t.NATIVE_INT32))
UNREADABLE = {"time": h5t.UNIX_D32LE, "nested": NESTED}


@pytest.fixture(scope="module", params=["earliest", "latest"])
def odd(request, scratch):
    """A file in which many things have no form in this protocol, beside others that do."""
    path = scratch / f"odd_{request.param}.hdf5"
    with h5py.File(path, "w", libver=request.param) as f:
        group = f.create_group("group")
        group["fine"] = np.arange(5.0)
        for thing in (f, group, group["fine"]):
            thing.attrs["before"] = 1.5
            thing.attrs["zebra"] = "text"
            thing.attrs["complex"] = [1 + 2j, 3j]
            thing.attrs["not_utf8"] = np.array(b"\xff\xfe", dtype=h5py.string_dtype())
            for name, dtype in UNREADABLE.items():
                h5a.create(thing.id, name.encode(), dtype, h5s.create_simple((2,)))
        for name, dtype in UNREADABLE.items():
            h5d.create(group.id, name.encode(), dtype, h5s.create_simple((2,)))
        group["named_type"] = np.dtype("f4")
        group["elsewhere"] = h5py.ExternalLink("nowhere.hdf5", "/x")
        group["complex"] = np.array([1 + 2j, 3j], "c8")
        group["record"] = np.array([(1, (2 + 3j))], [("a", "i4"), ("b", "c16")])
        group["opaque"] = np.array([b"abc", b"def"], "V3")
    return path


@pytest.mark.parametrize("name", ["/", "/group", "/group/fine"])
def test_an_attribute_that_has_no_form_does_not_hide_the_others(root, odd, name):
    attributes = root[f"scratch/{odd.name}"][name].attrs
    assert sorted(attributes) == ["before", "complex", "nested", "not_utf8", "time", "zebra"]
    assert (attributes["before"], attributes["zebra"]) == (1.5, "text")
    np.testing.assert_array_equal(attributes["complex"], [1 + 2j, 3j])
    assert [attributes[name] for name in ("nested", "not_utf8", "time")] == [None] * 3


def test_a_member_that_has_no_form_does_not_hide_its_group(root, odd):
    with h5py.File(odd) as local:
        remote, here = root[f"scratch/{odd.name}"]["group"], local["group"]
        assert sorted(remote) == sorted(here)
        for name in ("fine", "complex", "record", "opaque"):
            assert remote[name].dtype == here[name].dtype, name
            same_values(remote[name][...], here[name][...], name)
            slices = remote[name].request_slices([np.s_[0:1]])
            same_values(slices, here[name][0:1], name)
    for name in ("time", "nested", "named_type", "elsewhere"):
        assert name in remote
        with pytest.raises(HDFStreamRequestError, match=f"Unable to read data stream: .*/group/{name}"):
            remote[name]


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
