"""format=hdf5 of /v1/select: what swiftsimio, h5dump and `apus check` make of a snapshot of the selected rows."""

import shutil
import subprocess

import h5py
import numpy as np
import pytest

from apus_server import run
from conftest import PACK, REPOSITORY, TEST_DATA, compared, swift_files_where
from select_reference import arrays_of, box_sides, has_particles, in_sphere, opens, particle_types, same

GAS = TEST_DATA / "cosmo_box_lossy_nogzip.hdf5"
DEMO = REPOSITORY / "demo" / "cosmic_web_0002.hdf5"


def fetch(http, url, path, **params):
    answer = http.get(url, params=params | {"format": "hdf5"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/x-hdf5"
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    path.write_bytes(answer.content)
    return path


def check_cells(f):
    """Every row lies in the cell that counts it, up to what drifted: within its bounds."""
    sides = box_sides(f)
    for name in f["Cells/Counts"]:
        counts, offsets = f["Cells/Counts"][name][()], f["Cells/OffsetsInFile"][name][()]
        positions = f[name]["Coordinates"][()] if name in f and "Coordinates" in f[name] else None
        n = f["Header"].attrs["NumPart_ThisFile"][int(name[-1])]
        covered = np.zeros(n, int)
        for cell, (count, offset) in enumerate(zip(counts, offsets)):
            covered[offset : offset + count] += 1
            if positions is not None and count and "MinPositions" in f["Cells"]:
                least, greatest = f["Cells/MinPositions"][name][cell], f["Cells/MaxPositions"][name][cell]
                copies = [positions[offset : offset + count] + k * sides for k in (-1, 0, 1)]
                slack = 1e-3 * sides  # lossy filters
                assert np.any([(x >= least - slack) & (x <= greatest + slack) for x in copies], axis=0).all()
        assert (covered == 1).all(), name
    return len(f["Cells/Counts"])


@swift_files_where(has_particles)
def test_subsets_are_sound_files(http, mount, path, tmp_path):
    with h5py.File(path) as f:
        groups = particle_types(f)
        sides = box_sides(f)
        sphere = [0.1 * sides[0], 0.4 * sides[1], 0.9 * sides[2], 0.3 * sides[0]]
        text = ",".join(map(repr, map(float, sphere)))
        fields = {group: [name for name in f[group] if opens(f[group], name)] for group in groups}
        wanted = ",".join(f"/{group}/{name}" for group in groups for name in fields[group])
        inside = {group: in_sphere(f[group]["Coordinates"][()], sphere, sides) for group in groups}
        made = fetch(http, f"/v1/select/{mount}/{path.name}", tmp_path / "subset.hdf5", fields=wanted, sphere=text)
        arrays = arrays_of(http.get(f"/v1/select/{mount}/{path.name}", params={"fields": wanted, "sphere": text}))
        with h5py.File(made) as subset:
            header, source = subset["Header"].attrs, f["Header"].attrs
            expected = [int(inside[f"PartType{i}"].sum()) if f"PartType{i}" in groups else 0 for i in range(len(source["NumPart_ThisFile"]))]
            assert header["NumPart_ThisFile"].tolist() == header["NumPart_Total"].tolist() == expected
            assert header["NumPart_Total_HighWord"].tolist() == [0] * len(expected)
            assert (header["NumFilesPerSnapshot"][0], header["ThisFile"][0], header["Virtual"][0] if "Virtual" in header else 0) == (1, 0, 0)
            assert sorted(name for name in subset if name.startswith("PartType")) == sorted(groups)
            for key in set(source) - {"NumPart_ThisFile", "NumPart_Total", "NumPart_Total_HighWord", "TotalNumberOfParticles", "NumFilesPerSnapshot", "ThisFile", "Virtual", "OutputType", "CanHaveTypes"}:
                assert np.array_equal(header[key], source[key]), key
            for group in ("Units", "InternalCodeUnits", "Cosmology", "Parameters"):
                if group in f:
                    assert {k: np.array(v).tolist() for k, v in subset[group].attrs.items()} == {k: np.array(v).tolist() for k, v in f[group].attrs.items()}
            for group in groups:
                for name in fields[group]:
                    dataset = subset[group][name]
                    assert same(dataset[()], arrays[f"/{group}/{name}"]), (group, name)
                    assert set(dataset.attrs) == set(f[group][name].attrs)
                    assert all(np.array_equal(dataset.attrs[k], v) for k, v in f[group][name].attrs.items())
                    compared["fields of subsets"] += 1
            if "Cells" in subset:
                check_cells(subset)
            else:
                assert "Cells" not in f
            provenance = subset["Provenance"].attrs
            assert provenance["Source file"].decode() == f"{mount}/{path.name}"
            assert f"sphere={sphere[0]}" in provenance["Selection"].decode() and provenance["Apus version"]
    checked = run("check", made, home=tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    if shutil.which("h5dump"):
        assert subprocess.run(["h5dump", made], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE).returncode == 0


@pytest.mark.parametrize("rows", ["particles", "cells"])
def test_swiftsimio_loads_masks_and_draws_a_subset(http, start_server, tmp_path, rows):
    import swiftsimio
    import unyt
    from swiftsimio.visualisation.projection import project_gas

    with start_server({"demo": DEMO.parent}).session() as http:
        sphere = [22.1, 25.5, 27.4, 4.0]
        fields = "gas.coordinates,gas.masses,gas.smoothing_lengths,gas.temperatures,gas.velocities,dark_matter.coordinates,dark_matter.masses,dark_matter.particle_ids"
        params = {"fields": fields, "sphere": ",".join(map(str, sphere)), "rows": rows}
        made = fetch(http, f"/v1/select/demo/{DEMO.name}", tmp_path / "subset.hdf5", **params)
        arrays = arrays_of(http.get(f"/v1/select/demo/{DEMO.name}", params=params))
    data, whole = swiftsimio.load(str(made)), swiftsimio.load(str(DEMO))
    assert (data.metadata.n_gas, data.metadata.n_dark_matter) == (len(arrays["gas.masses"]), len(arrays["dark_matter.masses"]))
    assert data.metadata.output_type == "VolumeSubset"
    for name in fields.split(","):
        group, field = name.split(".")
        values, of_whole = getattr(getattr(data, group), field), getattr(getattr(whole, group), field)
        assert same(np.asarray(values), arrays[name])
        assert (values.units, values.cosmo_factor, values.comoving) == (of_whole.units, of_whole.cosmo_factor, of_whole.comoving)
    # A region in the subset gives what the region of the whole gives, as far as the subset has it.
    mask = swiftsimio.mask(str(made))
    region = [[swiftsimio.cosmo_quantity(x + d, "Mpc", comoving=True, scale_factor=mask.metadata.a, scale_exponent=1) for d in (-1, 1)] for x in sphere[:3]]
    mask.constrain_spatial(region)
    masked = swiftsimio.load(str(made), mask=mask)
    bounds = [b for x in sphere[:3] for b in (x - 1, x + 1)]
    ids = np.asarray(masked.dark_matter.particle_ids)
    x = arrays["dark_matter.coordinates"]
    in_region = np.all([(x[:, i] >= bounds[2 * i]) & (x[:, i] < bounds[2 * i + 1]) for i in range(3)], axis=0)
    assert 0 < in_region.sum() and len(ids) < len(x) and np.isin(arrays["dark_matter.particle_ids"][in_region], ids).all()
    image = project_gas(data, resolution=64, project="masses", parallel=False, region=[region[0][0], region[0][1], region[1][0], region[1][1]])
    assert np.isfinite(image).all() and float(image.max()) > 0


def test_the_subset_is_that_of_write_subset(http, tmp_path):
    import swiftsimio

    path = GAS
    with h5py.File(path) as f:
        sides = box_sides(f)
    mask = swiftsimio.mask(str(path))
    region = [[swiftsimio.cosmo_quantity(x * sides[0], mask.units.length, comoving=True, scale_factor=mask.metadata.a, scale_exponent=1) for x in bounds] for bounds in ((0.1, 0.4), (0.5, 0.8), (0.8, 1.1))]
    mask.constrain_spatial(region)
    reference = tmp_path / "reference.hdf5"
    swiftsimio.subset_writer.write_subset(str(reference), mask)
    box = ",".join(repr(float(side)) for axis in region for side in axis)
    with h5py.File(path) as f:
        fields = ",".join(f"/{group}/{name}" for group in particle_types(f) for name in f[group])
    made = fetch(http, f"/v1/select/data/{path.name}", tmp_path / "subset.hdf5", fields=fields, box=box, rows="cells")
    n_compared = 0
    with h5py.File(reference) as theirs, h5py.File(made) as ours:
        for group in particle_types(theirs):
            for name in theirs[group]:
                assert same(theirs[group][name][()].reshape(ours[group][name].shape), ours[group][name][()]), (group, name)
                n_compared += 1
            assert theirs[f"Cells/Counts/{group}"][()].tolist() == ours[f"Cells/Counts/{group}"][()].tolist()
    assert n_compared > 30


def test_a_subset_of_nothing(http, tmp_path):
    import swiftsimio

    made = fetch(http, f"/v1/select/data/{GAS.name}", tmp_path / "empty.hdf5", fields="gas.coordinates,gas.masses", where="masses < 0")
    data = swiftsimio.load(str(made))
    assert data.metadata.n_gas == 0
    with h5py.File(made) as f, h5py.File(GAS) as source:
        assert (f["PartType0/Coordinates"].shape, f["PartType0/Coordinates"].dtype) == ((0, 3), source["PartType0/Coordinates"].dtype)


def test_catalogues(http, tmp_path):
    name = "fof_catalogue.hdf5"
    mount = "data" if (TEST_DATA / name).exists() else "pack"
    made = fetch(http, f"/v1/select/{mount}/{name}", tmp_path / "groups.hdf5", fields="fof_groups.*", limit=3)
    with h5py.File(made) as f, h5py.File((TEST_DATA if mount == "data" else PACK) / name) as source:
        assert f["Header"].attrs["NumGroups_ThisFile"][0] == f["Header"].attrs["NumGroups_Total"][0] == 3
        for field in source["Groups"]:
            assert same(f["Groups"][field][()], source["Groups"][field][:3])


def test_what_a_snapshot_cannot_hold(http):
    url = f"/v1/select/data/{GAS.name}"
    for params, words in [
        ({"fields": "gas.coordinates.x"}, "whole fields"),
        ({"fields": "gas.coordinates", "unit": "kpc"}, "as stored"),
        ({"fields": "gas.coordinates", "frame": "physical"}, "as stored"),
        ({"fields": "gas.coordinates,/PartType0/Coordinates"}, "twice"),
    ]:
        answer = http.get(url, params=params | {"format": "hdf5"})
        assert answer.status_code == 400 and words in answer.json()["detail"], answer.text
