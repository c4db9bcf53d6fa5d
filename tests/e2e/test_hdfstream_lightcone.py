"""Lightcones as lightcone_io reads them: particles in several files with a virtual file over them, whose sources have absolute names, and
maps of shells. The files are made here, as SWIFT and lightcone_io's `virtual_particle_file.py` write them."""

import io

import h5py
import hdfstream
import numpy as np
import pytest

from apus_server import Server

hdfstream.disable_progress(True)

N_FILES = 4
UNITS = {f"Unit {name} in cgs (U_{letter})": np.array([value]) for name, letter, value in (
    ("current", "I", 1.0), ("length", "L", 3.08567758e24), ("mass", "M", 1.98841e43), ("temperature", "T", 1.0), ("time", "t", 3.08567758e19),
)}  # fmt: skip
PARTICLES = {"Coordinates": ("f8", (3,)), "DynamicalMasses": ("f4", ()), "ExpansionFactors": ("f4", ()), "ParticleIDs": ("i8", ())}


def add_metadata(file, **lightcone):
    for name in ("InternalCodeUnits", "Units"):
        file.create_group(name).attrs.update(UNITS)
    if lightcone:
        file.create_group("Lightcone").attrs.update(lightcone)


def add_units(dataset, length, mass):
    dataset.attrs.update({f"U_{letter} exponent": np.array([value], "f4") for letter, value in zip("ILMTt", (0, length, mass, 0, 0))})
    dataset.attrs["Expression for physical CGS units"] = np.bytes_("a U_L  [ cm ]" if length else "[ - ] ")


def write_particles(folder, rng):
    """One file for each rank: its particles in cells of redshift and pixel."""
    sizes = [int(n) for n in rng.integers(200, 900, N_FILES)]
    for rank, n in enumerate(sizes):
        with h5py.File(folder / f"lightcone0_0000.{rank}.hdf5", "w") as f:
            add_metadata(f, file_index=[0], mpi_rank=[rank], nr_mpi_ranks=[N_FILES], observer_position=[750.0] * 3, maximum_redshift_BH=[15.0])
            for name, (dtype, row) in PARTICLES.items():
                values = rng.integers(0, 1 << 40, (n, *row)) if dtype == "i8" else rng.normal(size=(n, *row))
                chunks = {"chunks": (128, *row), "compression": "gzip", "shuffle": True} if rank % 2 else {}
                add_units(f.create_dataset(f"BH/{name}", data=values.astype(dtype), **chunks), name == "Coordinates", name == "DynamicalMasses")
    return sizes


def write_virtual(path, sizes, source_name):
    with h5py.File(path, "w", libver="latest") as f:
        add_metadata(f, file_index=[0], mpi_rank=[0], nr_mpi_ranks=[1], observer_position=[750.0] * 3, maximum_redshift_BH=[15.0])
        cells = np.array_split(np.arange(sum(sizes)), 384)
        f["Cells/BH/cell_length"] = [len(cell) for cell in cells]
        f["Cells/BH/cell_offset"] = [cell[0] for cell in cells]
        f["Cells/BH/num_particles_in_file"] = [sum(sizes)]
        f["Cells/BH/order"] = "redshift_first"
        for name, (dtype, row) in PARTICLES.items():
            layout = h5py.VirtualLayout(shape=(sum(sizes), *row), dtype=dtype)
            offset = 0
            for rank, n in enumerate(sizes):
                layout[offset : offset + n, ...] = h5py.VirtualSource(source_name.format(rank), f"BH/{name}", shape=(n, *row))
                offset += n
            add_units(f.create_virtual_dataset(f"BH/{name}", layout, fillvalue=-999), name == "Coordinates", name == "DynamicalMasses")


def write_shell(path, rng):
    with h5py.File(path, "w") as f:
        add_metadata(f)
        f.create_group("Shell").attrs.update(comoving_inner_radius=[3.0], comoving_outer_radius=[217.6], nr_files_per_shell=[1])
        for name in ("DarkMatterMass", "TotalMass"):
            dataset = f.create_dataset(name, data=rng.normal(size=3072), chunks=(1024,), compression="gzip")
            dataset.attrs.update(nside=[16], number_of_pixels=[3072], pixel_ordering_scheme=np.bytes_("ring"), expected_sum=[dataset[...].sum()])


@pytest.fixture(scope="module")
def lightcone(tmp_path_factory):
    root = tmp_path_factory.mktemp("lightcone")
    rng = np.random.default_rng(2)
    (root / "lightcone0_particles").mkdir()
    sizes = write_particles(root / "lightcone0_particles", rng)
    # `virtual_particle_file.py` names sources relative to the virtual file: those beside it begin with a slash.
    write_virtual(root / "lightcone0_particles/lightcone0_0000.hdf5", sizes, "/lightcone0_0000.{}.hdf5")
    write_virtual(root / "lightcone0.hdf5", sizes, "lightcone0_particles/lightcone0_0000.{}.hdf5")
    for shell in range(2):
        (root / f"lightcone1_shells/shell_{shell}").mkdir(parents=True)
        write_shell(root / f"lightcone1_shells/shell_{shell}/lightcone1.shell_{shell}.0.hdf5", rng)
    return root


@pytest.fixture(scope="module")
def served(lightcone, tmp_path_factory):
    with Server({"sky": lightcone}, tmp_path_factory.mktemp("server")) as server:
        yield server


def datasets(file):
    found = {}
    file.visititems(lambda name, item: found.update({name: item}) if isinstance(item, h5py.Dataset) else None)
    return found


def test_every_dataset_is_that_of_h5py(served, lightcone):
    files = sorted(lightcone.rglob("*.hdf5"))
    assert len(files) == N_FILES + 2 + 2
    remote_root = hdfstream.open(f"{served.url}hdfstream", "sky")
    for path in files:
        remote = remote_root[str(path.relative_to(lightcone))]
        with h5py.File(path) as local:
            assert dict(remote["InternalCodeUnits"].attrs).keys() == UNITS.keys()
            found = datasets(local)
            assert found
            for name, here in found.items():
                there = remote[name]
                assert there.shape == here.shape
                assert there.attrs.keys() == here.attrs.keys(), (path, name)
                if h5py.check_string_dtype(here.dtype):
                    assert there[()] == here.asstr()[()]
                    continue
                values, expected = there[...], here[...]
                assert values.dtype == expected.dtype
                assert values.tobytes() == expected.tobytes(), (path, name)
                if name.startswith("BH/"):
                    assert (expected != -999).all(), "the virtual file has found its sources"


def test_rows_across_the_files(served, lightcone):
    remote = hdfstream.open(f"{served.url}hdfstream", "sky")["lightcone0_particles/lightcone0_0000.hdf5"]
    with h5py.File(lightcone / "lightcone0_particles/lightcone0_0000.hdf5") as local, served.session() as session:
        n = local["BH/ParticleIDs"].shape[0]
        rng = np.random.default_rng(3)
        for _ in range(20):
            start, stop = np.sort(rng.integers(0, n + 1, 2))
            for name in PARTICLES:
                expected = local[f"BH/{name}"][start:stop]
                assert remote[f"BH/{name}"][start:stop].tobytes() == expected.tobytes()
                params = {"object": f"/BH/{name}", "rows": f"{start}:{stop}"}
                answer = session.get("v1/data/sky/lightcone0_particles/lightcone0_0000.hdf5", params=params)
                assert np.load(io.BytesIO(answer.content)).tobytes() == expected.tobytes()
