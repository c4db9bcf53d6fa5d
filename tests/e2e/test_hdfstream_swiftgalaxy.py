"""swiftgalaxy's own workflow on remote files: galaxies of a SOAP catalogue with their particles, and catalogues and lines of sight by
themselves, beside what the local files give."""

import apus
import h5py
import hdfstream
import numpy as np
import pytest
import swiftsimio
import unyt as u
from swiftgalaxy import SOAP, MaskCollection, SWIFTGalaxies, SWIFTGalaxy, demo_data
from swiftgalaxy.iterator import SWIFTGalaxies as Iterator
from swiftsimio.objects import cosmo_array

from conftest import PACKS, compared

hdfstream.disable_progress(True)


@pytest.fixture(scope="module")
def examples(scratch):
    """The demonstration files that swiftgalaxy makes by itself: a snapshot of two galaxies, a SOAP catalogue, and which particle belongs to
    which halo; and a virtual snapshot that joins all particles' fields, as SOAP's tool makes one (that tool is no package of PyPI)."""
    folder = scratch / "swiftgalaxy"
    folder.mkdir()
    demo_data._create_toysnap(snapfile=folder / "toysnap.hdf5", withfof=True)
    demo_data._create_toysoap(filename=folder / "toysoap.hdf5", membership_filebase=folder / "membership", create_membership=True)
    with h5py.File(folder / "toysnap.hdf5") as snapshot, h5py.File(folder / "membership.0.hdf5") as membership, h5py.File(folder / "toysnap_virtual.hdf5", "w", libver="latest") as f:
        for name in snapshot:
            if not name.startswith("PartType"):
                snapshot.copy(name, f)
        for source in (snapshot, membership):
            for kind in (name for name in source if name.startswith("PartType")):
                group = f.require_group(kind)
                for name, value in source[kind].attrs.items():
                    group.attrs[name] = value
                for name, dataset in source[kind].items():
                    if name in group:
                        del group[name]
                    layout = h5py.VirtualLayout(shape=dataset.shape, dtype=dataset.dtype)
                    layout[...] = h5py.VirtualSource(source.filename.rpartition("/")[2], dataset.name, shape=dataset.shape)
                    virtual = group.create_virtual_dataset(name, layout)
                    for attribute, value in dataset.attrs.items():
                        virtual.attrs[attribute] = value
        for name, value in snapshot.attrs.items():
            f.attrs[name] = value
    return folder


def remote(server, folder, name):
    return hdfstream.open(f"{server.url}hdfstream", f"{folder}/{name}")


@pytest.fixture(scope="module")
def pairs(server, examples):
    """The snapshot and the catalogue, local and remote."""
    names = ("toysnap_virtual.hdf5", "toysoap.hdf5")
    return [examples / name for name in names], [remote(server, "scratch/swiftgalaxy", name) for name in names]


def same(there, here, name):
    """To the bit, units and scale factors included."""
    assert type(there) is type(here), name
    there_values, here_values = np.asarray(there), np.asarray(here)
    assert there_values.dtype == here_values.dtype and there_values.tobytes() == here_values.tobytes(), name
    for attribute in ("units", "cosmo_factor", "comoving"):
        assert getattr(there, attribute, None) == getattr(here, attribute, None), f"{name}.{attribute}"
    compared["arrays equal to swiftgalaxy's local ones through hdfstream"] += 1


def fields(group):
    found = {}
    for name in group.group_metadata.field_names:
        value = getattr(group, name)
        if hasattr(value, "named_columns"):
            found |= {f"{name}.{column}": getattr(value, column) for column in value.named_columns}
        else:
            found[name] = value
    return found


def assert_same_galaxy(there, here):
    assert there.metadata.present_group_names == here.metadata.present_group_names
    n_particles = 0
    for kind in here.metadata.present_group_names:
        expected = fields(getattr(here, kind))
        found = fields(getattr(there, kind))
        assert found.keys() == expected.keys()
        for name in expected:
            same(found[name], expected[name], f"{kind}.{name}")
        n_particles += len(expected["coordinates"])
    assert n_particles > 0


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("extra_mask", ["bound_only", None])
def test_a_galaxy_with_all_its_particles(pairs, index, extra_mask):
    galaxies = [SWIFTGalaxy(snapshot, SOAP(catalogue, soap_index=index, extra_mask=extra_mask)) for snapshot, catalogue in pairs]
    here, there = galaxies
    assert_same_galaxy(there, here)
    for name in ("centre", "velocity_centre"):
        same(getattr(there.halo_catalogue, name), getattr(here.halo_catalogue, name), name)


@pytest.mark.parametrize("index", [0, 1])
def test_a_galaxy_from_a_selection_in_memory(server, pairs, index):
    """swiftgalaxy takes what the package apus selects, without a file."""
    (snapshot, catalogue), (_, remote_catalogue) = pairs
    here = SWIFTGalaxy(snapshot, SOAP(catalogue, soap_index=index))
    centre = here.halo_catalogue.centre.to_comoving().ravel()
    file = apus.connect(server.url).open("scratch/swiftgalaxy/toysnap_virtual.hdf5")
    kinds = here.metadata.present_group_names
    selection = file.select(*(f"{kind}.*" for kind in kinds), sphere=(centre, 1 * u.Mpc), rows="cells")
    n_selected = sum(selection.swiftsimio().metadata.num_part)
    assert 0 < n_selected < sum(swiftsimio.load(snapshot).metadata.num_part)
    there = SWIFTGalaxy(selection.hdf5(), SOAP(remote_catalogue, soap_index=index))
    assert there.metadata.present_group_names == kinds
    for kind in kinds:
        # In memory, rows are those of the selection's cells: the same galaxy, in the same order.
        for name in ("coordinates", "masses", "particle_ids", "velocities"):
            same(getattr(getattr(there, kind), name), getattr(getattr(here, kind), name), f"{kind}.{name}")


@pytest.mark.parametrize("index", [0, 1])
def test_a_galaxy_from_a_subset(http, pairs, tmp_path, index):
    """A snapshot of the galaxy's surroundings, which the server selected, in place of the whole one."""
    (snapshot, catalogue), _ = pairs
    whole = {extra: SWIFTGalaxy(snapshot, SOAP(catalogue, soap_index=index, extra_mask=extra)) for extra in ("bound_only", None)}
    with h5py.File(snapshot) as f:
        n_of_snapshot = {kind: f[kind]["ParticleIDs"].shape[0] for kind in f if kind.startswith("PartType")}
    fields = ",".join(f"{kind}.*" for kind in whole[None].metadata.present_group_names)
    # A sphere that holds all particles of the galaxy, and the cells that it touches.
    centre = whole["bound_only"].halo_catalogue.centre.to_comoving().to_value("Mpc").ravel()
    sphere = ",".join(map(repr, [*map(float, centre), 1.0]))
    for rows, extra_masks in {"particles": ["bound_only"], "cells": ["bound_only", None]}.items():
        answer = http.get("/v1/select/scratch/swiftgalaxy/toysnap_virtual.hdf5", params={"fields": fields, "sphere": sphere, "region_unit": "Mpc", "rows": rows, "format": "hdf5"})
        assert answer.status_code == 200, answer.text
        subset = tmp_path / f"{rows}.hdf5"
        subset.write_bytes(answer.content)
        with h5py.File(subset) as f:
            assert any(0 < f[kind]["ParticleIDs"].shape[0] < n for kind, n in n_of_snapshot.items())
        for extra in extra_masks:
            assert_same_galaxy(SWIFTGalaxy(subset, SOAP(catalogue, soap_index=index, extra_mask=extra)), whole[extra])


def test_what_is_worked_out_from_it(pairs):
    """The steps of swiftgalaxy's quick start: the frame of the galaxy, rotations, cylindrical coordinates, masks, the catalogue's own values."""
    outcomes = []
    for snapshot, catalogue in pairs:
        galaxy = SWIFTGalaxy(snapshot, SOAP(catalogue, soap_index=0))
        radii = galaxy.gas.spherical_coordinates.r
        angles = galaxy.stars.cylindrical_coordinates.phi
        momentum = (galaxy.gas.masses[:, np.newaxis] * np.cross(galaxy.gas.coordinates, galaxy.gas.velocities)).sum(axis=0)
        inner = galaxy[MaskCollection(gas=radii < np.median(radii), stars=np.s_[::3])]
        galaxy.recentre(cosmo_array([0.01, 0.02, 0.03], u.Mpc, comoving=True, scale_factor=galaxy.metadata.a, scale_exponent=1))
        outcomes.append({
            "radii": radii,
            "angles": angles,
            "momentum": momentum,
            "inner gas": inner.gas.velocities,
            "inner stars": inner.stars.masses,
            "moved": galaxy.dark_matter.coordinates,
            "halo centre": galaxy.halo_catalogue.input_halos.halo_centre,
            "centre of mass": galaxy.halo_catalogue.bound_subhalo.centre_of_mass,
        })  # fmt: skip
    here, there = outcomes
    for name in here:
        same(there[name], here[name], name)
    assert 0 < len(here["inner gas"]) < len(here["radii"])


def test_an_aperture_around_a_galaxy(pairs):
    """A region of one's own in place of the catalogue's."""
    galaxies = []
    for snapshot, catalogue in pairs:
        offsets = cosmo_array([[-1.0, 1.0]] * 3, u.Mpc, comoving=True, scale_factor=1.0, scale_exponent=1)
        galaxies.append(SWIFTGalaxy(snapshot, SOAP(catalogue, soap_index=1, extra_mask=None, custom_spatial_offsets=offsets)))
    assert_same_galaxy(galaxies[1], galaxies[0])


def test_one_galaxy_after_the_other(pairs):
    outcomes = []
    for snapshot, catalogue in pairs:
        galaxies = SWIFTGalaxies(snapshot, SOAP(catalogue, soap_index=[0, 1]))
        outcomes.append([(g.gas.coordinates, g.stars.masses, g.dark_matter.velocities) for g in galaxies])
        total = Iterator(snapshot, SOAP(catalogue, soap_index=[1, 0])).map(lambda g: g.gas.masses.sum())
        outcomes[-1].append(tuple(total))
    assert len(outcomes[0]) == 3
    for there, here in zip(outcomes[1], outcomes[0]):
        for i, expected in enumerate(here):
            same(there[i], expected, i)


def test_a_soap_catalogue_by_itself(pairs):
    (_, local), (_, there) = pairs
    here, there = swiftsimio.load(local), swiftsimio.load(there)
    assert there.metadata.present_group_names == here.metadata.present_group_names
    n = 0
    for group in here.metadata.present_group_names:
        expected, found = fields(getattr(here, group)), fields(getattr(there, group))
        assert found.keys() == expected.keys()
        for name in expected:
            same(found[name], expected[name], f"{group}.{name}")
            n += 1
    assert n > 50


@pytest.mark.parametrize("name", ["fof_catalogue.hdf5", "fof_catalogue_v1.0.0.hdf5"])
def test_fof_catalogues(server, name):
    here, there = swiftsimio.load(PACKS["data"] / name), swiftsimio.load(remote(server, "data", name))
    expected, found = fields(here.fof_groups), fields(there.fof_groups)
    assert found.keys() == expected.keys() and len(expected) >= 3
    for field in expected:
        same(found[field], expected[field], field)
    for source in (PACKS["data"] / name, remote(server, "data", name)):
        with pytest.raises(NotImplementedError, match="FOF"):
            swiftsimio.mask(source)


def test_lines_of_sight(server):
    """swiftsimio reads them as far as it reads local ones; every value of every line by the handle itself."""
    path = PACKS["data"] / "los.hdf5"
    there = remote(server, "data", path.name)
    n = 0
    with h5py.File(path) as here:
        lines = [name for name in here if name.startswith("LOS_")]
        assert lines
        for line in lines:
            for field in here[line]:
                same(there[line][field][...], here[line][field][...], f"{line}/{field}")
                assert there[line][field].attrs["Description"] == here[line][field].attrs["Description"]
                n += 1
    assert n > 10
    outcomes = []
    for source in (path, there):
        try:
            outcomes.append(sorted(swiftsimio.load(source).metadata.present_group_names))
        except Exception as error:
            outcomes.append(type(error))
    assert outcomes[0] == outcomes[1]
