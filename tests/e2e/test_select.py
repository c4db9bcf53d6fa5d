"""/v1/select against numpy by brute force and swiftsimio, on every snapshot of the pack."""

import json
import random
import shutil

import h5py
import numpy as np

from conftest import REPOSITORY, SWIFT_FILES, TEST_DATA, compared, is_read_by_swiftsimio, swift_files_where
from select_reference import arrays_of, box_sides, has_particles, in_box, in_sample, in_sphere, particle_types, same

DEMO = REPOSITORY / "demo"
GAS = TEST_DATA / "cosmo_box_lossy_nogzip.hdf5"
NAMES = {"PartType0": "gas", "PartType1": "dark_matter", "PartType2": "boundary", "PartType3": "sinks", "PartType4": "stars", "PartType5": "black_holes", "PartType6": "neutrinos"}


def random_box(rng, sides):
    """Six bounds: some open, some across the boundary, some outside the box, as swiftsimio allows."""
    bounds = []
    for side in sides:
        kind = rng.random()
        lower = rng.uniform(-0.45, 1.0) * side
        upper = min(lower + rng.uniform(0, 0.6) * side, 1.49 * side)
        if kind < 0.1:
            lower, upper = None, upper
        elif kind < 0.2:
            lower, upper = lower, None
        elif kind < 0.3:
            lower, upper = None, None
        elif kind < 0.5:
            lower, upper = rng.uniform(0.5, 1) * side, rng.uniform(0, 0.5) * side
        bounds += [lower, upper]
    return bounds


def text(numbers):
    return ",".join("" if number is None else repr(float(number)) for number in numbers)


@swift_files_where(has_particles)
def test_exact_boxes_and_spheres(http, mount, path):
    rng = random.Random(f"exact {path.name}")
    with h5py.File(path) as f:
        sides = box_sides(f)
        for group in particle_types(f):
            positions = f[group]["Coordinates"][()]
            ids = f[group]["ParticleIDs"][()]
            for _ in range(6):
                if rng.random() < 0.6:
                    bounds = random_box(rng, sides)
                    region, inside = {"box": text(bounds)}, in_box(positions, bounds, sides)
                else:
                    sphere = [rng.uniform(-0.4, 1.4) * side for side in sides] + [rng.uniform(0, 0.6) * sides[0]]
                    region, inside = {"sphere": text(sphere)}, in_sphere(positions, sphere, sides)
                fields = f"{NAMES[group]}.particle_ids,/{group}/Coordinates"
                answer = arrays_of(http.get(f"/v1/select/{mount}/{path.name}", params={"fields": fields, **region}))
                assert list(answer) == fields.split(",")
                # Rows keep the order of the file's cells: where cells are in another order than rows, so are the rows.
                order = np.argsort(answer[f"{NAMES[group]}.particle_ids"], kind="stable")
                expected_order = np.argsort(ids[inside], kind="stable")
                assert same(answer[f"{NAMES[group]}.particle_ids"][order], ids[inside][expected_order]), (path.name, group, region)
                assert sorted(map(tuple, answer[f"/{group}/Coordinates"])) == sorted(map(tuple, positions[inside]))
                compared["exact regions by brute force"] += 1


def test_several_regions_are_joined(http):
    with h5py.File(GAS) as f:
        sides, positions, ids = box_sides(f), f["PartType0/Coordinates"][()], f["PartType0/ParticleIDs"][()]
    boxes = [[0.9 * sides[0], 0.1 * sides[0], None, None, None, 0.3 * sides[2]], [0.4 * sides[0], 0.5 * sides[0], None, None, None, None]]
    sphere = [0.2 * sides[0], 0.2 * sides[1], 0.9 * sides[2], 0.2 * sides[0]]
    inside = in_box(positions, boxes[0], sides) | in_box(positions, boxes[1], sides) | in_sphere(positions, sphere, sides)
    body = {"fields": ["gas.particle_ids"], "box": boxes, "sphere": [sphere]}
    posted = arrays_of(http.post(f"/v1/select/data/{GAS.name}", json=body))
    got = arrays_of(http.get(f"/v1/select/data/{GAS.name}", params={"fields": "gas.particle_ids", "box": ";".join(map(text, boxes)), "sphere": text(sphere)}))
    assert np.array_equal(np.sort(posted["gas.particle_ids"]), np.sort(ids[inside]))
    assert same(posted["gas.particle_ids"], got["gas.particle_ids"])


def test_coordinates_a_hair_outside_the_box_wrap(start_server):
    server = start_server({"demo": DEMO})
    name = "cosmic_web_0002.hdf5"
    with h5py.File(DEMO / name) as f:
        sides, positions = box_sides(f), f["PartType0/Coordinates"][()]
    outside = positions[(positions >= sides).any(axis=1)]
    assert len(outside), "the demo has a particle a hair outside the box"
    with server.session() as http:
        for x in outside:
            wrapped = np.mod(x, sides)
            bounds = np.stack([wrapped - 0.01, wrapped + 0.01], axis=1).ravel()
            answer = arrays_of(http.get(f"/v1/select/demo/{name}", params={"fields": "gas.coordinates", "box": text(bounds)}))
            assert same(answer["gas.coordinates"], positions[in_box(positions, bounds, sides)])
            assert x.tolist() in answer["gas.coordinates"].tolist()


def is_part(path):
    """Whether it is one of several files of a snapshot, which swiftsimio does not open by itself."""
    with h5py.File(path) as f:
        return f["Header"].attrs["NumFilesPerSnapshot"][0] > 1


def as_read_by_swiftsimio(path, tmp_path):
    """The file, or a copy that swiftsimio takes: of a full volume, without counts of types that have no group."""
    if is_read_by_swiftsimio(path):
        return str(path)
    copy = shutil.copy(path, tmp_path)
    with h5py.File(copy, "r+") as f:
        header = f["Header"].attrs
        header["OutputType"] = np.bytes_("FullVolume")
        for name in ("CanHaveTypes", "NumPart_Total", "NumPart_ThisFile"):
            header[name] = [n if f"PartType{i}" in f else 0 for i, n in enumerate(header[name])]
    return copy


@swift_files_where(lambda path: has_particles(path) and not is_part(path))
def test_cells_are_those_of_swiftsimio(http, mount, path, tmp_path):
    import swiftsimio

    rng = random.Random(f"cells {path.name}")
    with h5py.File(path) as f:
        sides, groups = box_sides(f), particle_types(f)
        ids = {group: f[group]["ParticleIDs"][()] for group in groups}
        lossy = any("Nbit" in str(f[group]["ParticleIDs"].attrs.get("Lossy compression filter", "")) for group in groups)
    readable = as_read_by_swiftsimio(path, tmp_path)
    fields = ",".join(f"/{group}/ParticleIDs" for group in groups)
    unconstrained = swiftsimio.mask(readable, spatial_only=True)
    for _ in range(8):
        bounds = random_box(rng, sides)
        # To make one takes longer than all the rest; constraining a copy, which the class does not let copy.copy make, leaves it as it is.
        mask = object.__new__(type(unconstrained))
        vars(mask).update(vars(unconstrained))
        length = mask.units.length
        region = [None if lower is None and upper is None else [
            swiftsimio.cosmo_quantity(sides[i] if side is None and j else 0.0 if side is None else side, length, comoving=True, scale_factor=mask.metadata.a, scale_exponent=1)
            for j, side in enumerate((lower, upper))
        ] for i, (lower, upper) in enumerate(zip(bounds[::2], bounds[1::2]))]
        mask.constrain_spatial(restrict=region)
        answer = arrays_of(http.get(f"/v1/select/{mount}/{path.name}", params={"fields": fields, "box": text(bounds), "rows": "cells"}))
        for group in groups:
            ranges = getattr(mask, NAMES[group])
            expected = np.concatenate([ids[group][a:b] for a, b in ranges]) if len(ranges) else ids[group][:0]
            assert same(answer[f"/{group}/ParticleIDs"], expected), (path.name, group, bounds, lossy)
            compared["cells as swiftsimio has them"] += 1


@swift_files_where(lambda path: has_particles(path) and path.name.endswith("_0001.hdf5"))
def test_cells_of_all_parts_are_those_of_the_whole(http, mount, path):
    parts = [part for other, part in SWIFT_FILES if other == mount and part.name.startswith(f"{path.stem}.") and is_part(part)]
    with h5py.File(path) as f:
        sides, groups = box_sides(f), particle_types(f)
    rng = random.Random(f"parts {path.name}")
    fields = ",".join(f"/{group}/ParticleIDs" for group in groups)
    for _ in range(8):
        params = {"fields": fields, "box": text(random_box(rng, sides)), "rows": "cells"}
        whole, *found = (arrays_of(http.get(f"/v1/select/{mount}/{file.name}", params=params)) for file in (path, *parts))
        assert len(found) == 2
        for group in groups:
            name = f"/{group}/ParticleIDs"
            assert same(np.sort(np.concatenate([arrays[name] for arrays in found])), np.sort(whole[name])), (path.name, group, params)


@swift_files_where(lambda path: not has_particles(path))
def test_files_without_particles_have_no_cells_either(http, mount, path):
    url = f"/v1/select/{mount}/{path.name}"
    answer = http.get(url, params={"fields": "gas.coordinates", "sphere": "0,0,0,1"})
    with h5py.File(path) as f:
        # A catalogue's only group may be left out of names.
        reason, field = ('fof_groups has no field "gas"', "fof_groups.centres") if "Groups" in f else ('no group of fields is called "gas"', "los_0000.coordinates")
    assert answer.status_code == 404 and reason in answer.json()["detail"]
    answer = http.get(url, params={"fields": field, "box": "0,1,,,,", "rows": "cells"})
    assert answer.status_code == 400 and "has no cells" in answer.json()["detail"]


def test_everything_where_nothing_is_said(http):
    with h5py.File(GAS) as f:
        expected = {f"gas.{name}": f["PartType0"][stored][()] for name, stored in {"masses": "Masses", "coordinates": "Coordinates"}.items()}
    answer = http.get(f"/v1/select/data/{GAS.name}", params={"fields": ",".join(expected)})
    arrays = arrays_of(answer)
    assert all(same(arrays[name], values) for name, values in expected.items())
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert answer.headers["Apus-Rows"] == f"gas={len(expected['gas.masses'])}"
    head = http.head(f"/v1/select/data/{GAS.name}", params={"fields": ",".join(expected)})
    assert (head.headers["Content-Length"], head.content) == (answer.headers["Content-Length"], b"")
    same_tag = http.get(f"/v1/select/data/{GAS.name}", params={"fields": ",".join(expected)}, headers={"If-None-Match": answer.headers["ETag"]})
    assert same_tag.status_code == 304
    other = http.get(f"/v1/select/data/{GAS.name}", params={"fields": "gas.masses"})
    assert other.headers["ETag"] != answer.headers["ETag"]


def test_all_fields_of_a_type_and_several_types(http):
    with h5py.File(GAS) as f:
        n = {group: len(f[group]["ParticleIDs"]) for group in particle_types(f)}
        stored = {name: f["PartType0"][name][()] for name in f["PartType0"]}
        dark = f["PartType1/ParticleIDs"][()]
    answer = http.get(f"/v1/select/data/{GAS.name}", params={"fields": "gas.*,dark_matter.particle_ids"})
    arrays = arrays_of(answer)
    assert len(arrays) == len(stored) + 1
    notes = {note["name"]: note for note in json.loads(answer.headers["Apus-Fields"])}
    assert set(notes) == set(arrays)
    info = http.get(f"/v1/info/data/{GAS.name}").json()
    for group in info["groups"]:
        for field in group["fields"]:
            name = f"{group['name']}.{field['name']}"
            if name in arrays:
                expected = dark if group["name"] == "dark_matter" else stored[field["path"].rsplit("/")[-1]]
                assert same(arrays[name], expected), name
                assert notes[name]["unit"] == (field["unit"] or {}).get("name")
                assert (notes[name]["a_exponent"], notes[name]["frame"]) == (field["a_exponent"], field["frame"])
    assert answer.headers["Apus-Rows"] == f"gas={n['PartType0']},dark_matter={n['PartType1']}"


def test_columns_by_name_and_number(http, scratch):
    path = scratch / "columns.hdf5"
    with h5py.File(GAS) as source, h5py.File(path, "w") as f:
        for name in ("Header", "Units", "Cosmology", "Cells"):
            source.copy(name, f)
        gas = f.create_group("PartType0")
        source.copy("PartType0/Coordinates", gas)
        n = len(source["PartType0/Coordinates"])
        gas["ElementMassFractions"] = np.random.default_rng(1).random((n, 9)).astype("f4")
        elements = ["Hydrogen", "Helium", "Carbon", "Nitrogen", "Oxygen", "Neon", "Magnesium", "Silicon", "Iron"]
        f["SubgridScheme/NamedColumns/ElementMassFractions"] = np.array(elements, "S32")
    with h5py.File(path) as f:
        fractions, positions = f["PartType0/ElementMassFractions"][()], f["PartType0/Coordinates"][()]
    fields = "gas.element_mass_fractions.carbon,gas.coordinates.y,gas.element_mass_fractions"
    params = {"fields": fields, "where": "element_mass_fractions.iron > 0.5 and coordinates[0] >= 0"}
    arrays = arrays_of(http.get("/v1/select/scratch/columns.hdf5", params=params))
    wanted = (fractions[:, 8] > np.float32(0.5)) & (positions[:, 0] >= 0)
    assert 0 < wanted.sum() < len(wanted)
    assert same(arrays["gas.element_mass_fractions.carbon"], fractions[wanted, 2])
    assert same(arrays["gas.coordinates.y"], positions[wanted, 1])
    assert same(arrays["gas.element_mass_fractions"], fractions[wanted])


def test_ids_sample_stride_and_limit(http):
    url = f"/v1/select/data/{GAS.name}"
    with h5py.File(GAS) as f:
        ids, masses = f["PartType0/ParticleIDs"][()], f["PartType0/Masses"][()]
    rng = random.Random(5)
    wanted = rng.sample(ids.tolist(), 500) + [int(ids.max()) + 10, 2**64 - 1]
    body = {"fields": ["gas.particle_ids", "gas.masses"], "ids": wanted + wanted[:7]}
    arrays = arrays_of(http.post(url, json=body))
    kept = np.isin(ids, np.array(wanted[:500]))
    assert same(arrays["gas.particle_ids"], ids[kept]) and same(arrays["gas.masses"], masses[kept])
    for fraction in (0, 0.01, 0.3, 1):
        arrays = arrays_of(http.get(url, params={"fields": "gas.particle_ids", "sample": fraction}))
        assert same(arrays["gas.particle_ids"], ids[in_sample(ids, fraction)])
    kept = ids[in_sample(ids, 0.3)][::7][:50]
    arrays = arrays_of(http.get(url, params={"fields": "gas.particle_ids", "sample": 0.3, "stride": 7, "limit": 50}))
    assert same(arrays["gas.particle_ids"], kept)
    arrays = arrays_of(http.get(url, params={"fields": "gas.particle_ids", "stride": 3}))
    assert same(arrays["gas.particle_ids"], ids[::3])
    arrays = arrays_of(http.get(url, params={"fields": "gas.particle_ids", "limit": 0}))
    assert same(arrays["gas.particle_ids"], ids[:0])


def test_a_virtual_snapshot_is_one(http):
    path = TEST_DATA / "cosmo_box_virtual_lossy_0001.hdf5"
    with h5py.File(path) as f:
        sides, positions, ids = box_sides(f), f["PartType0/Coordinates"][()], f["PartType0/ParticleIDs"][()]
    sphere = [0.0, 0.5 * sides[1], 0.9 * sides[2], 0.4 * sides[0]]
    arrays = arrays_of(http.get(f"/v1/select/data/{path.name}", params={"fields": "gas.particle_ids", "sphere": text(sphere)}))
    assert np.array_equal(np.sort(arrays["gas.particle_ids"]), np.sort(ids[in_sphere(positions, sphere, sides)]))


def test_catalogues_are_selected_from_as_well(http):
    path = TEST_DATA / "fof_catalogue.hdf5"
    with h5py.File(path) as f:
        masses, sizes = f["Groups/Masses"][()], f["Groups/Sizes"][()]
    kept = sizes >= np.median(sizes)
    arrays = arrays_of(http.get(f"/v1/select/data/{path.name}", params={"fields": "fof_groups.masses,/Groups/Sizes", "where": f"sizes >= {int(np.median(sizes))}"}))
    assert same(arrays["fof_groups.masses"], masses[kept]) and same(arrays["/Groups/Sizes"], sizes[kept])
