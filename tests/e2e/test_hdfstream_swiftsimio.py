"""swiftsimio on remote files gives what it gives on local ones, to the bit, in as few requests as can be."""

import http.server
import threading

import h5py
import hdfstream
import numpy as np
import pytest
import requests
import swiftsimio
from swiftsimio.visualisation.projection import project_gas

from conftest import TEST_DATA, compared, swift_files

hdfstream.disable_progress(True)


def accepted(path):
    try:
        swiftsimio.load(path)
    except Exception:
        return False
    return True


def open_remote(server, mount, path):
    return hdfstream.open(f"{server.url}hdfstream", f"{mount}/{path.name}")


def all_fields(data, wanted=None):
    """Every field of every group, or those of these names; named columns one by one: name -> array."""
    fields = {}
    for group_name in data.metadata.present_group_names:
        group = getattr(data, group_name)
        for field in group.group_metadata.field_names:
            if wanted and field not in wanted:
                continue
            value = getattr(group, field)
            if hasattr(value, "named_columns"):
                fields |= {f"{group_name}.{field}.{column}": getattr(value, column) for column in value.named_columns}
            else:
                fields[f"{group_name}.{field}"] = value
    return fields


def same(remote, local):
    assert remote.keys() == local.keys()
    for name, here in local.items():
        there = remote[name]
        if here is None:
            # A type of old files that current libhdf5 refuses: read from afar, it is there.
            assert there is not None, name
            continue
        assert there.dtype == here.dtype and there.shape == here.shape, name
        assert np.asarray(there).tobytes() == np.asarray(here).tobytes(), name
        assert getattr(there, "units", None) == getattr(here, "units", None), name
        assert getattr(there, "cosmo_factor", None) == getattr(here, "cosmo_factor", None), name
        compared["fields equal to swiftsimio's local ones through hdfstream"] += 1


@swift_files
def test_every_field_whole(server, mount, path):
    if not accepted(path):
        with pytest.raises(Exception):
            swiftsimio.load(open_remote(server, mount, path))
        return
    same(all_fields(swiftsimio.load(open_remote(server, mount, path))), all_fields(swiftsimio.load(path)))


@swift_files
def test_every_field_of_a_region(server, mount, path):
    """A box in the middle; and of boxes across the periodic boundary, whose rows are what differs, fields of one and of several columns."""
    try:
        swiftsimio.mask(path)
    except Exception:
        with pytest.raises(Exception):
            swiftsimio.mask(open_remote(server, mount, path))
        return
    few = ("coordinates", "particle_ids", "masses", "element_mass_fractions")
    unconstrained = [(source, swiftsimio.mask(source)) for source in (open_remote(server, mount, path), path)]
    for low, high, wanted in ((0.1, 0.6, None), (-0.2, 0.3, few), (0.9, 1.2, few)):
        masks = []
        for source, whole in unconstrained:
            # Making a mask takes longer than all the rest; a copy is constrained, which the class does not let copy.copy make.
            mask = object.__new__(type(whole))
            vars(mask).update(vars(whole))
            box = mask.metadata.boxsize
            mask.constrain_spatial([[low * length, high * length] for length in box])
            masks.append((source, mask))
        remote, local = (all_fields(swiftsimio.load(source, mask=mask), wanted) for source, mask in masks)
        assert local
        same(remote, local)


# Nothing about them is refused, so that the tests below have something to compare.
TAKEN = {"cosmo_box_lossy_nogzip.hdf5", "cosmo_box_gzip_v1.0.0.hdf5", "cosmo_box_lossy_v2025.01.hdf5"}

# Those with a type of old files that current libhdf5 refuses: swiftsimio copies them from afar alone.
REFUSED_BY_LIBHDF5 = {"cosmo_box_dmantissa_v1.0.0.hdf5"}


def outcome(work, source):
    """What it gives, or the kind of error: remote files are refused as local ones are."""
    try:
        return work(source)
    except Exception as error:
        assert getattr(source, "name", None) not in TAKEN, error
        return type(error)


def cut(source):
    """The denser half of the gas."""
    mask = swiftsimio.mask(source, spatial_only=False)
    density = swiftsimio.load(source).gas.densities
    middle = np.median(np.asarray(density)) * density.units
    middle = swiftsimio.cosmo_quantity(middle, comoving=True, scale_factor=density.cosmo_factor.scale_factor, scale_exponent=-3)
    mask.constrain_property("gas", "densities", middle, density.max())
    gas = swiftsimio.load(source, mask=mask).gas
    return {name: getattr(gas, name) for name in ("densities", "coordinates", "particle_ids")}


@swift_files
def test_a_cut_by_a_property(server, mount, path):
    there, here = outcome(cut, open_remote(server, mount, path)), outcome(cut, path)
    if isinstance(here, type):
        assert there is here
        return
    same(there, here)
    assert 0 < len(here["densities"]) < len(swiftsimio.load(path).gas.densities)
    compared["snapshots cut by a property as swiftsimio cuts local ones"] += 1


def picture(source):
    return np.asarray(project_gas(swiftsimio.load(source), resolution=64, project="masses")).tobytes()


@swift_files
def test_pictures(server, mount, path):
    there, here = outcome(picture, open_remote(server, mount, path)), outcome(picture, path)
    assert there == here
    compared["pictures equal to swiftsimio's local ones through hdfstream"] += isinstance(here, bytes)


@swift_files
def test_subsets(server, tmp_path, mount, path):
    def subset(source):
        mask = swiftsimio.mask(source)
        mask.constrain_spatial([[0.2 * length, 0.5 * length] for length in mask.metadata.boxsize])
        written = tmp_path / f"{type(source).__name__}.hdf5"
        swiftsimio.subset_writer.write_subset(str(written), mask)
        return contents(written)

    there, here = outcome(subset, open_remote(server, mount, path)), outcome(subset, path)
    if path.name in REFUSED_BY_LIBHDF5:
        assert here is KeyError and isinstance(there, dict)
        return
    assert there == here
    compared["subsets equal to those that swiftsimio writes of local files"] += isinstance(here, dict)


def contents(path):
    found = {}
    with h5py.File(path) as f:
        f.visititems(lambda name, item: found.update({name: item[...].tobytes()}) if isinstance(item, h5py.Dataset) else None)
    return found


class CountingProxy(http.server.ThreadingHTTPServer):
    """Passes requests on, and counts them."""

    def __init__(self, url):
        self.url, self.n_requests = url, 0
        super().__init__(("127.0.0.1", 0), PassOn)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class PassOn(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.server.n_requests += 1
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name: self.headers[name] for name in ("Content-Type", "Accept", "Accept-Encoding") if name in self.headers}
        answer = requests.request(self.command, self.server.url.rstrip("/") + self.path, data=body, headers=headers, stream=True, timeout=60)
        content = answer.raw.read(decode_content=False)
        self.send_response(answer.status_code)
        for name in ("Content-Type", "Content-Encoding"):
            if name in answer.headers:
                self.send_header(name, answer.headers[name])
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST

    def log_message(self, *_):
        pass


def test_loading_takes_three_requests_and_each_field_one_more(server):
    path = TEST_DATA / "cosmo_box_lossy_nogzip.hdf5"
    proxy = CountingProxy(server.url)
    try:
        url = f"http://127.0.0.1:{proxy.server_port}/hdfstream"
        data = swiftsimio.load(hdfstream.open(url, f"data/{path.name}"))
        assert proxy.n_requests == 3
        for n, field in enumerate(("coordinates", "densities", "velocities"), start=1):
            getattr(data.gas, field)
            assert proxy.n_requests == 3 + n, field
    finally:
        proxy.shutdown()
