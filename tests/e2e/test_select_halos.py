"""Rows of halos, `group=` and its like of /v1/select, against numpy by brute force on what h5py reads, and against swiftgalaxy."""

import io
import json
import os
import shutil

import h5py
import numpy as np
import pandas
import pyarrow.ipc
import pyarrow.parquet
import pytest
import swiftsimio
from swiftgalaxy import SOAP, SWIFTGalaxy, demo_data

from accounts import add_user
from apus_server import Server
from conftest import PACKS, TEST_DATA, compared
from select_reference import arrays_of, box_sides, in_sphere, same

NAMES = {"PartType0": "gas", "PartType1": "dark_matter", "PartType4": "stars", "PartType5": "black_holes"}
# Snapshots and the FOF catalogues of the same outputs, by mount.
PAIRS = [("data", "cosmo_box_gzip_v1.0.0.hdf5", "fof_catalogue_v1.0.0.hdf5")]
PAIRS += [("pack", "cosmo_box_gzip.hdf5", "fof_catalogue.hdf5")] if "pack" in PACKS else []
SNAPSHOT, CATALOGUE = (TEST_DATA / name for name in PAIRS[0][1:])
URL = f"/v1/select/data/{SNAPSHOT.name}"
WITH_CATALOGUE = {"fields": "gas.particle_ids", "catalogue": f"data/{CATALOGUE.name}"}
FORMATS = ["npz", "arrow", "parquet", "csv", "json", "hdf5"]

pairs = pytest.mark.parametrize("pair", PAIRS, ids=[pair[1] for pair in PAIRS])


class Fof:
    """A snapshot and its groups, as h5py reads them."""

    def __init__(self, pair):
        mount, snapshot, catalogue = pair
        self.url, self.catalogue = f"/v1/select/{mount}/{snapshot}", f"{mount}/{catalogue}"
        with h5py.File(PACKS[mount] / snapshot) as f, h5py.File(PACKS[mount] / catalogue) as groups:
            self.sides, self.a = box_sides(f), float(f["Header"].attrs["Scale-factor"][0])
            self.groups = groups["Groups/GroupIDs"][()].tolist()
            self.centres = dict(zip(self.groups, groups["Groups/Centres"][()].astype("f8").tolist()))
            self.sizes = dict(zip(self.groups, groups["Groups/Sizes"][()].tolist()))
            self.radii = dict(zip(self.groups, groups["Groups/Radii"][()].astype("f8").tolist())) if "Radii" in groups["Groups"] else None
            self.types = [name for name in NAMES if name in f]
            read = lambda field: {name: f[name][field][()] for name in self.types}
            self.ids, self.positions, self.members = read("ParticleIDs"), read("Coordinates"), read("FOFGroupIDs")

    def ask(self, http, kind, **params):
        params = {"fields": f"{NAMES[kind]}.particle_ids", "catalogue": self.catalogue} | params
        return arrays_of(http.get(self.url, params=params))[params["fields"]]

    def in_sphere(self, kind, group, radius):
        return in_sphere(self.positions[kind], [*self.centres[group], radius], self.sides)

    def check(self, answer, kind, inside, ordered=False):
        expected = self.ids[kind][inside]
        assert same(answer, expected) if ordered else same(np.sort(answer), np.sort(expected))
        compared["rows of halos by brute force"] += 1


@pairs
def test_members_of_each_group(http, pair):
    fof = Fof(pair)
    for group in fof.groups:
        n = 0
        for kind in fof.types:
            answer = fof.ask(http, kind, group=group)
            fof.check(answer, kind, fof.members[kind] == group, ordered=True)
            n += len(answer)
        # What SWIFT itself counted.
        assert n == fof.sizes[group]


@pairs
def test_members_without_a_catalogue_and_of_several_groups(http, pair):
    fof = Fof(pair)
    some = fof.groups[::2]
    for kind in fof.types:
        inside = np.isin(fof.members[kind], some)
        text = ",".join(map(str, reversed(some)))
        for params in ({"groups": text}, {"groups": f"{text},{some[0]}"}, {"group": some[0], "groups": text}):
            fof.check(fof.ask(http, kind, **params), kind, inside, ordered=True)
        got = arrays_of(http.get(fof.url, params={"fields": f"{NAMES[kind]}.particle_ids", "groups": text}))
        fof.check(got[f"{NAMES[kind]}.particle_ids"], kind, inside, ordered=True)
        body = {"fields": [f"{NAMES[kind]}.particle_ids"], "groups": some, "catalogue": fof.catalogue}
        fof.check(arrays_of(http.post(fof.url, json=body))[body["fields"][0]], kind, inside, ordered=True)
    # Without a catalogue nobody knows which groups there are.
    assert len(arrays_of(http.get(fof.url, params={"fields": "gas.particle_ids", "group": 123456}))["gas.particle_ids"]) == 0


@pairs
def test_all_rows_in_an_aperture(http, pair):
    fof = Fof(pair)
    apertures = {"0.4 Mpc": 0.4, "700 kpc": 0.7, "700 kpc comoving": 0.7, "0.5 Mpc physical": 0.5 / fof.a, "1.1": 1.1, "0.3 physical": 0.3 / fof.a, "9 Mpc": 9.0, "0 Mpc": 0.0}
    n = 0
    for aperture, radius in apertures.items():
        for group in fof.groups[:3]:
            for kind in fof.types:
                answer = fof.ask(http, kind, group=group, aperture=aperture)
                fof.check(answer, kind, fof.in_sphere(kind, group, radius))
                n += len(answer)
    assert n > 10_000


@pairs
def test_several_apertures_are_joined_and_each_row_comes_once(http, pair):
    fof = Fof(pair)
    overlaps = 0
    for kind in fof.types:
        spheres = [fof.in_sphere(kind, group, 1.5) for group in fof.groups]
        overlaps += (np.sum(spheres, axis=0) > 1).sum()
        answer = fof.ask(http, kind, groups=",".join(map(str, fof.groups)), aperture="1.5 Mpc")
        fof.check(answer, kind, np.any(spheres, axis=0))
    assert overlaps > 0


@pairs
def test_members_in_the_aperture_of_their_own_group(http, pair):
    """A member of one group in the sphere of another only does not count."""
    fof = Fof(pair)
    radius, strangers = 1.5, 0
    for kind in fof.types:
        own = np.any([(fof.members[kind] == group) & fof.in_sphere(kind, group, 0.1) for group in fof.groups], axis=0)
        fof.check(fof.ask(http, kind, groups=",".join(map(str, fof.groups)), aperture="0.1 Mpc", members="true"), kind, own)
        strangers += own.sum() < np.isin(fof.members[kind], fof.groups).sum()
        for group in fof.groups:
            inside = (fof.members[kind] == group) & fof.in_sphere(kind, group, radius)
            fof.check(fof.ask(http, kind, group=group, aperture=f"{radius} Mpc", members="true"), kind, inside)
    assert strangers


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair[0] == "pack"])
@pytest.mark.parametrize("name", ["radii", "Radii", "fof_groups.radii", "/Groups/Radii"])
def test_an_aperture_of_the_catalogue(http, pair, name):
    fof = Fof(pair)
    for kind in fof.types:
        each = [fof.in_sphere(kind, group, fof.radii[group]) for group in fof.groups]
        for group, inside in zip(fof.groups, each):
            fof.check(fof.ask(http, kind, group=group, aperture=name), kind, inside)
        fof.check(fof.ask(http, kind, groups=",".join(map(str, fof.groups)), aperture=name), kind, np.any(each, axis=0))


@pytest.fixture(scope="module")
def other_units(scratch):
    """The groups of a snapshot as a catalogue in kpc, with physical centres and a radius for each; and the radii, comoving in Mpc."""
    folder = scratch / "halos_units"
    folder.mkdir()
    shutil.copy(CATALOGUE, folder / "kpc.hdf5")
    with h5py.File(folder / "kpc.hdf5", "r+") as f:
        a = f["Header"].attrs["Scale-factor"][0]
        f["Header"].attrs["BoxSize"] = f["Header"].attrs["BoxSize"] * 1000
        f["Units"].attrs["Unit length in cgs (U_L)"] = f["Units"].attrs["Unit length in cgs (U_L)"] / 1000
        groups = f["Groups"]
        groups["Centres"][...] = groups["Centres"][()] * 1000 * a
        radii = np.linspace(0.3, 0.9, len(groups["GroupIDs"]))
        groups["Radii"] = radii * 1000 * a
        for name, value in groups["Centres"].attrs.items():
            groups["Radii"].attrs[name] = value
        for name in ("Centres", "Radii"):
            groups[name].attrs["Value stored as physical"] = np.array([1], "u1")
    return "scratch/halos_units/kpc.hdf5", radii


def test_units_and_frames_of_the_catalogue_are_converted(http, other_units):
    catalogue, radii = other_units
    fof = Fof(PAIRS[0])
    for group, radius in zip(fof.groups, radii):
        answer = fof.ask(http, "PartType1", group=group, catalogue=catalogue, aperture="radii")
        # A rounding of the centre moves nothing across the edge but what lies within it.
        wider, narrower = (fof.in_sphere("PartType1", group, radius * factor) for factor in (1 + 1e-10, 1 - 1e-10))
        assert (wider == narrower).all() and wider.sum() > 10
        fof.check(answer, "PartType1", wider)
        explained = http.get(fof.url, params={"fields": "gas.masses", "group": group, "catalogue": catalogue, "aperture": "radii", "explain": "true"}).json()
        [halo] = explained["halos"]
        assert halo["id"] == group and np.allclose(halo["centre"], fof.centres[group], rtol=1e-12) and np.isclose(halo["radius"], radius, rtol=1e-12)


@pytest.fixture(scope="module")
def soap(scratch):
    """swiftgalaxy's demonstration files: two galaxies, a SOAP catalogue, and the membership of particles, here in the snapshot itself."""
    folder = scratch / "halos_soap"
    folder.mkdir()
    demo_data._create_toysnap(snapfile=folder / "snapshot.hdf5", withfof=True)
    demo_data._create_toysoap(filename=folder / "soap.hdf5", membership_filebase=folder / "membership", create_membership=True)
    with h5py.File(folder / "snapshot.hdf5", "r+") as f, h5py.File(folder / "membership.0.hdf5") as membership:
        for kind in membership:
            membership.copy(f"{kind}/GroupNr_bound", f[kind])
    with h5py.File(folder / "soap.hdf5", "r+") as f:
        f.copy("SO/200_crit/SORadius", "SO/500_crit/SORadius")
        f["SO/500_crit/SORadius"][...] = [0.05, 0.0]
    return folder


def soap_rows(folder, kind, index, radius):
    with h5py.File(folder / "snapshot.hdf5") as f, h5py.File(folder / "soap.hdf5") as catalogue:
        centre = catalogue["InputHalos/HaloCentre"][index]
        group = f[kind]
        return group["ParticleIDs"][()], in_sphere(group["Coordinates"][()], [*centre, radius], box_sides(f)), group["GroupNr_bound"][()] == catalogue["InputHalos/HaloCatalogueIndex"][index]


def ask_soap(http, kind, **params):
    field = f"{NAMES[kind]}.particle_ids"
    return np.sort(arrays_of(http.get("/v1/select/scratch/halos_soap/snapshot.hdf5", params={"fields": field, "catalogue": "scratch/halos_soap/soap.hdf5"} | params))[field])


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize(("index", "halo"), [(0, 1111), (1, 2222)])
def test_halos_of_soap(http, soap, kind, index, halo):
    with h5py.File(soap / "soap.hdf5") as f:
        r200, enclosing = f["SO/200_crit/SORadius"][index], f["BoundSubhalo/EncloseRadius"][index]
    ids, inside, bound = soap_rows(soap, kind, index, r200)
    assert same(ask_soap(http, kind, group=halo), np.sort(ids[bound]))
    for name in ("r200c", "R200c", "200_crit", "r200_crit", "/SO/200_crit/SORadius", "spherical_overdensity_200_crit.soradius"):
        assert same(ask_soap(http, kind, group=halo, aperture=name), np.sort(ids[inside])), name
    assert same(ask_soap(http, kind, group=halo, aperture="r200c", members="true"), np.sort(ids[inside & bound]))
    _, enclosed, _ = soap_rows(soap, kind, index, enclosing)
    assert same(ask_soap(http, kind, group=halo, aperture="bound_subhalo.enclose_radius"), np.sort(ids[enclosed]))
    assert bound.any()


def test_bound_particles_are_those_of_swiftgalaxy(http, soap):
    for index, halo in enumerate([1111, 2222]):
        galaxy = SWIFTGalaxy(soap / "snapshot.hdf5", SOAP(soap / "soap.hdf5", soap_index=index, extra_mask="bound_only"))
        for kind, name in NAMES.items():
            expected = np.sort(np.asarray(getattr(galaxy, name).particle_ids))
            assert len(expected) and np.array_equal(ask_soap(http, kind, group=halo), expected)


def test_newer_membership_has_the_name_of_the_catalogue(http, soap):
    newer = soap / "newer.hdf5"
    shutil.copy(soap / "snapshot.hdf5", newer)
    with h5py.File(newer, "r+") as f:
        f.move("PartType0/GroupNr_bound", "PartType0/HaloCatalogueIndex")
        del f["PartType0/FOFGroupIDs"]
        expected = f["PartType0/ParticleIDs"][()][f["PartType0/HaloCatalogueIndex"][()] == 2222]
    for catalogue in ({}, {"catalogue": "scratch/halos_soap/soap.hdf5"}):
        answer = arrays_of(http.get("/v1/select/scratch/halos_soap/newer.hdf5", params={"fields": "gas.particle_ids", "group": 2222} | catalogue))
        assert same(answer["gas.particle_ids"], expected)


def test_with_everything_else(http):
    """Halos, a condition, a box about members, and a limit in one."""
    fof = Fof(PAIRS[0])
    with h5py.File(SNAPSHOT) as f:
        masses, positions = f["PartType0/Masses"][()], f["PartType0/Coordinates"][()]
    threshold = float(np.median(masses))
    wanted = np.isin(fof.members["PartType0"], [1, 2]) & (masses >= np.float32(threshold)) & (positions[:, 0] < 3)
    assert 3 < wanted.sum()
    params = {"groups": "2,1", "where": f"masses >= {threshold!r} * 1e10 Msun", "box": ",3,,,,"}
    fof.check(fof.ask(http, "PartType0", **params), "PartType0", wanted)
    assert len(fof.ask(http, "PartType0", **params, limit=3)) == 3


def rows_of(answer, form, field):
    if form == "npz":
        return arrays_of(answer)[field]
    if form == "arrow":
        return pyarrow.ipc.open_stream(answer.content).read_all()[field].to_numpy()
    if form == "parquet":
        return pyarrow.parquet.read_table(io.BytesIO(answer.content))[field].to_numpy()
    if form == "csv":
        return pandas.read_csv(io.BytesIO(answer.content))[field].to_numpy()
    if form == "json":
        return np.array(answer.json()[field])
    with h5py.File(io.BytesIO(answer.content)) as f:
        return f["PartType0/ParticleIDs"][()]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("params", [{"groups": "3,1"}, {"group": "2", "aperture": "1 Mpc"}, {"group": "2", "aperture": "0.2 Mpc", "members": "true"}], ids=["members", "aperture", "both"])
def test_all_forms(http, form, params):
    fof = Fof(PAIRS[0])
    groups = [int(group) for text in (params.get("groups"), params.get("group")) if text for group in text.split(",")]
    inside = np.isin(fof.members["PartType0"], groups) if "aperture" not in params or "members" in params else True
    if "aperture" in params:
        inside = inside & fof.in_sphere("PartType0", groups[0], float(params["aperture"].split()[0]))
    answer = http.get(URL, params=WITH_CATALOGUE | params | {"format": form})
    assert answer.status_code == 200, answer.text
    rows = rows_of(answer, form, "gas.particle_ids")
    assert 0 < len(rows) < len(fof.ids["PartType0"])
    fof.check(rows.astype(fof.ids["PartType0"].dtype), "PartType0", inside)


def test_a_snapshot_of_a_group(http, tmp_path):
    fof = Fof(PAIRS[0])
    params = {"fields": "gas.*,dark_matter.coordinates,dark_matter.particle_ids", "catalogue": fof.catalogue, "group": 1, "aperture": "0.8 Mpc", "format": "hdf5"}
    answer = http.get(fof.url, params=params)
    assert answer.status_code == 200, answer.text
    path = tmp_path / "group.hdf5"
    path.write_bytes(answer.content)
    data = swiftsimio.load(path)
    for kind, name in (("PartType0", "gas"), ("PartType1", "dark_matter")):
        fof.check(np.asarray(getattr(data, name).particle_ids), kind, fof.in_sphere(kind, 1, 0.8))
    with h5py.File(path) as f:
        text = f["Provenance"].attrs["Selection"]
        text = text.decode() if isinstance(text, bytes) else str(text)
    assert f"groups=1&catalogue={fof.catalogue}&aperture=0.8 Mpc&members=false" in text


def test_explain_tells_the_halos_and_what_is_looked_at(http):
    fof = Fof(PAIRS[0])
    explained = http.get(URL, params=WITH_CATALOGUE | {"groups": "3,1", "explain": "true"}).json()
    assert explained["halos"] == [{"id": 1, "centre": None, "radius": None}, {"id": 3, "centre": None, "radius": None}]
    [group] = explained["groups"]
    assert [read["path"] for read in group["looked_at"]] == ["/PartType0/FOFGroupIDs"]
    assert not group["is_exact"] and group["n_candidates"] == len(fof.ids["PartType0"])
    explained = http.get(URL, params=WITH_CATALOGUE | {"group": 3, "aperture": "0.2 Mpc", "explain": "true"}).json()
    assert explained["halos"] == [{"id": 3, "centre": fof.centres[3], "radius": 0.2}]
    [group] = explained["groups"]
    assert group["cells"]["touched"] < group["cells"]["total"] and group["n_candidates"] < len(fof.ids["PartType0"])
    assert [read["path"] for read in group["looked_at"]] == ["/PartType0/Coordinates"]
    assert "halos" not in http.get(URL, params={"fields": "gas.masses", "explain": "true"}).json()


# Parameters beside a catalogue, status, words of the detail.
BAD = [
    ({"group": "77"}, 404, ["halo 77", "3 halos", "from 1 to 3"]),
    ({"group": "2147483647"}, 404, ["halo 2147483647"]),
    ({"groups": "1,5,4"}, 404, ["halo 4, 5:"]),
    ({"groups": ",".join(map(str, range(1000, 1100)))}, 404, ["1000, 1001", "92 more"]),
    ({"groups": ",".join(map(str, range(1025)))}, 400, ["1025 halos", "1024"]),
    ({"groups": ""}, 400, ["no halo"]),
    ({"group": "x"}, 400, ["\"x\" is no whole number"]),
    ({"group": "1.5"}, 400, ["\"1.5\" is no whole number"]),
    ({"group": "-1"}, 400, ["\"-1\" is no whole number"]),
    ({}, 400, ["group or groups"]),
    ({"group": "1", "members": "false"}, 400, ["without an aperture"]),
    ({"group": "1", "members": "maybe"}, 400, ["true, false"]),
    ({"group": "1", "aperture": ""}, 400, ["r200c", "2 Mpc"]),
    ({"group": "1", "aperture": "r200c"}, 400, ["no radius \"r200c\"", "it has none", "2 Mpc"]),
    ({"group": "1", "aperture": "masses"}, 400, ["no radius \"masses\""]),
    ({"group": "1", "aperture": "centres.x"}, 400, ["no radius \"centres.x\""]),
    ({"group": "1", "aperture": "-2 Mpc"}, 400, ["-2 is not a length"]),
    ({"group": "1", "aperture": "nan Mpc"}, 400, ["NaN is not a length"]),
    ({"group": "1", "aperture": "2 kg"}, 400, ["kg", "mass", "length"]),
    ({"group": "1", "aperture": "2 furlong"}, 400, ["furlong"]),
    ({"group": "1", "aperture": "2 Mpc", "sphere": "1,1,1,1"}, 400, ["take one of them"]),
    ({"group": "1", "aperture": "2 Mpc", "box": "0,1,0,1,0,1"}, 400, ["take one of them"]),
    ({"group": "1", "catalogue": "data/nowhere.hdf5"}, 404, ["nowhere.hdf5"]),
    ({"group": "1", "catalogue": "../etc/passwd"}, 400, [".."]),
    ({"group": "1", "catalogue": "data"}, 404, ["folder"]),
    ({"group": "1", "catalogue": f"data/{SNAPSHOT.name}"}, 400, ["is a snapshot", "FOF or SOAP"]),
    ({"group": "1", "catalogue": "data/los.hdf5"}, 400, ["line-of-sight", "FOF or SOAP"]),
    ({"group": "1", "catalogue": "data/fof_catalogue.hdf5"}, 400, ["scale factor", "same time"]),
    ({"group": "1", "aperture": "2 Mpc", "catalogue": None}, 400, ["catalogue=PATH"]),
    ({"group": "1", "fields": "fof_groups.masses"}, 404, ["fof_groups"]),
]  # fmt: skip


@pytest.mark.parametrize(("params", "status", "words"), BAD, ids=[json.dumps(params)[:60] for params, *_ in BAD])
def test_what_is_refused(http, params, status, words):
    answer = http.get(URL, params=WITH_CATALOGUE | params)
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    detail = answer.json()["detail"]
    for word in words:
        assert word in detail, detail


def test_what_is_refused_in_a_body(http):
    for groups in (1.5, [1.5], [-1], {"a": 1}, [None]):
        answer = http.post(URL, json={"fields": ["gas.masses"], "groups": groups})
        assert answer.status_code == 400 and "whole numbers" in answer.json()["detail"], answer.text


def test_what_the_files_do_not_say(http, soap, scratch):
    def refused(params, status, *words, path="scratch/halos_soap/snapshot.hdf5"):
        answer = http.get(f"/v1/select/{path}", params={"fields": "gas.masses", "catalogue": "scratch/halos_soap/soap.hdf5"} | params)
        assert answer.status_code == status and all(word in answer.json()["detail"] for word in words), answer.text

    # Two kinds of membership in one file.
    refused({"group": 1, "catalogue": None}, 400, "fofgroup_ids", "group_nr_bound", "catalogue=PATH")
    # Radii that SOAP did not work out.
    refused({"groups": "1111,2222", "aperture": "r500c"}, 400, "SO/500_crit/SORadius", "halo 2222")
    refused({"group": 1111, "aperture": "r201c"}, 400, "did you mean \"200_crit\"", "2 Mpc")
    refused({"group": 1111, "aperture": "SO.TotalMass"}, 400, "no radius")
    # Other boxes.
    refused({"group": 1111}, 400, "box of [10.0, 10.0, 10.0]", "same simulation", path=f"data/{SNAPSHOT.name}")
    # No membership in the file: where rows lie does without.
    bare = scratch / "halos_soap" / "bare.hdf5"
    shutil.copy(soap / "snapshot.hdf5", bare)
    with h5py.File(bare, "r+") as f:
        del f["PartType0/GroupNr_bound"]
    refused({"group": 1111}, 400, "HaloCatalogueIndex or GroupNr_bound", "aperture=", path="scratch/halos_soap/bare.hdf5")
    refused({"group": 1111, "aperture": "r200c", "members": "true"}, 400, "GroupNr_bound", path="scratch/halos_soap/bare.hdf5")
    answer = http.get("/v1/select/scratch/halos_soap/bare.hdf5", params={"fields": "gas.masses", "group": 1111, "aperture": "r200c", "catalogue": "scratch/halos_soap/soap.hdf5"})
    assert answer.status_code == 200
    # Rows of the catalogue itself are found by ids.
    refused({"fields": "fof_groups.masses", "group": 1, "catalogue": None}, 400, "ids=", path=f"data/{CATALOGUE.name}")
    # A catalogue that holds an id twice, or no centres.
    broken = scratch / "halos_soap" / "twice.hdf5"
    shutil.copy(soap / "soap.hdf5", broken)
    with h5py.File(broken, "r+") as f:
        f["InputHalos/HaloCatalogueIndex"][...] = [1111, 1111]
        del f["InputHalos/HaloCentre"]
    refused({"group": 1111, "catalogue": "scratch/halos_soap/twice.hdf5"}, 422, "HaloCatalogueIndex", "1111 twice", "rows 0 and 1")
    with h5py.File(broken, "r+") as f:
        f["InputHalos/HaloCatalogueIndex"][...] = [1111, 1112]
    refused({"group": 1111, "catalogue": "scratch/halos_soap/twice.hdf5", "aperture": "r200c"}, 400, "no InputHalos/HaloCentre")


def test_a_catalogue_that_is_replaced(http, scratch):
    """It counts for the entity tag as the snapshot does."""
    catalogue = scratch / "halos_replaced.hdf5"
    shutil.copy(CATALOGUE, catalogue)
    params = {"fields": "gas.particle_ids", "group": 1, "aperture": "0.6 Mpc", "catalogue": f"scratch/{catalogue.name}"}
    first = http.get(URL, params=params)
    assert first.status_code == 200
    assert http.get(URL, params=params, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    for change in ({"group": 2}, {"aperture": "0.7 Mpc"}, {"members": "true"}, {"catalogue": f"data/{CATALOGUE.name}"}):
        assert http.get(URL, params=params | change).headers["ETag"] != first.headers["ETag"], change
    new = scratch / "halos_new.hdf5"
    shutil.copy(CATALOGUE, new)
    with h5py.File(new, "r+") as f:
        f["Groups/Centres"][0] = f["Groups/Centres"][1]
    os.replace(new, catalogue)
    second = http.get(URL, params=params, headers={"If-None-Match": first.headers["ETag"]})
    assert second.status_code == 200 and second.headers["ETag"] != first.headers["ETag"]
    fof = Fof(PAIRS[0])
    fof.check(arrays_of(first)["gas.particle_ids"], "PartType0", fof.in_sphere("PartType0", 1, 0.6))
    fof.check(arrays_of(second)["gas.particle_ids"], "PartType0", fof.in_sphere("PartType0", 2, 0.6))


CONFIG = """
[[mounts]]
name = "open"
path = "{open}"

[[mounts]]
name = "closed"
path = "{closed}"
roles = ["core"]
"""


def test_a_catalogue_that_may_not_be_seen_is_as_if_it_were_not_there(tmp_path):
    home, folders = tmp_path / "home", {name: tmp_path / name for name in ("open", "closed")}
    for folder in (home, *folders.values()):
        folder.mkdir()
    shutil.copy(SNAPSHOT, folders["open"])
    shutil.copy(CATALOGUE, folders["closed"])
    (home / "apus.toml").write_text(CONFIG.format(**folders))
    add_user(home, "insider", "wonderland", "core")
    add_user(home, "outsider", "builder's yard", "other")
    params = {"fields": "gas.particle_ids", "group": 1, "aperture": "0.5 Mpc"}
    with Server({}, home, ("--config", home / "apus.toml")) as server, server.session() as session:

        def ask(catalogue, auth=None):
            return session.get(f"/v1/select/open/{SNAPSHOT.name}", params=params | {"catalogue": catalogue}, auth=auth)

        for auth in (None, ("outsider", "builder's yard")):
            hidden, missing = ask(f"closed/{CATALOGUE.name}", auth), ask("closed/nothing.hdf5", auth)
            assert (hidden.status_code, missing.status_code) == (404, 404)
            assert hidden.json()["detail"].replace(CATALOGUE.name, "nothing.hdf5") == missing.json()["detail"]
        seen = ask(f"closed/{CATALOGUE.name}", ("insider", "wonderland"))
        fof = Fof(PAIRS[0])
        fof.check(arrays_of(seen)["gas.particle_ids"], "PartType0", fof.in_sphere("PartType0", 1, 0.5))
        # What somebody else was answered opens nothing.
        again = session.get(f"/v1/select/open/{SNAPSHOT.name}", params=params | {"catalogue": f"closed/{CATALOGUE.name}"}, headers={"If-None-Match": seen.headers["ETag"]})
        assert again.status_code == 404
