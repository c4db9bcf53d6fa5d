"""Writes snapshots whose cells have bounds or have none.

    make_zone_files.py FOLDER DATA             the files of the tests, some of them from the files of DATA
    make_zone_files.py FOLDER --rows N         with-bounds.hdf5 and without-bounds.hdf5 of N rows

A few of the particles have drifted far out of their cells, as they may: bounds can come from their positions alone.
"""

import shutil
import sys
from pathlib import Path

import h5py
import numpy as np

BOX_SIZE = 100.0
CHUNK_ROWS = 8192


def write_snapshot(path, n_rows, n_side, has_bounds, seed=1, is_hostile=False, is_compressed=False, drift=0.7):
    """Rows cell by cell, drawn a slice of cells at a time, so that the memory this takes does not grow with the rows."""
    rng = np.random.default_rng(seed)
    n_cells = n_side**3
    size = BOX_SIZE / n_side
    counts = rng.multinomial(n_rows, np.full(n_cells, 1 / n_cells)).astype("i8")
    if is_hostile:
        counts[1] += counts[0]
        counts[0] = 0
    offsets = np.concatenate([[0], np.cumsum(counts)[:-1]])
    places = np.stack(np.unravel_index(np.arange(n_cells), (n_side,) * 3), axis=1)
    centres = (places + 0.5) * size
    least, greatest = np.full((n_cells, 3), np.inf), np.full((n_cells, 3), -np.inf)
    with h5py.File(path, "w") as file:
        header = file.create_group("Header")
        for name, value in {
            "BoxSize": [BOX_SIZE] * 3, "Scale-factor": [1.0], "Redshift": [0.0], "Time": [0.0], "Dimension": [3],
            "NumFilesPerSnapshot": [1], "ThisFile": [0], "NumPart_ThisFile": np.array([n_rows, 0, 0, 0, 0, 0, 0], "i8"),
            "NumPart_Total": np.array([n_rows, 0, 0, 0, 0, 0, 0], "u8").astype("u4"), "NumPart_Total_HighWord": np.zeros(7, "u4"),
        }.items():
            header.attrs[name] = value
        header.attrs["Code"] = np.bytes_("SWIFT")
        units = file.create_group("Units")
        for symbol, name in zip(("M", "L", "t", "I", "T"), ("mass", "length", "time", "current", "temperature")):
            units.attrs[f"Unit {name} in cgs (U_{symbol})"] = [1.0]
        gas = file.create_group("PartType0")
        layout = {"chunks": True, "shuffle": True, "compression": "gzip", "compression_opts": 1} if is_compressed else {}
        chunk_rows = min(CHUNK_ROWS, n_rows)
        layout["chunks"] = (chunk_rows, 3)
        coordinates = gas.create_dataset("Coordinates", (n_rows, 3), "f8", **layout)
        layout["chunks"] = (chunk_rows,)
        masses = gas.create_dataset("Masses", (n_rows,), "f4", **layout)
        ids = gas.create_dataset("ParticleIDs", (n_rows,), "i8", **layout)
        for first in range(0, n_cells, 256):
            cells = np.arange(first, min(first + 256, n_cells))
            of_row = np.repeat(cells, counts[cells])
            n = len(of_row)
            if n == 0:
                continue
            x = centres[of_row] + rng.uniform(-0.5, 0.5, (n, 3)) * size
            drifted = rng.random(n) < 0.001
            x[drifted] += rng.normal(0, drift * size, (drifted.sum(), 3))
            # Most are wrapped, as SWIFT writes them; a hair outside stays.
            outside = (x < -0.01 * BOX_SIZE) | (x > 1.01 * BOX_SIZE)
            x[outside] = np.mod(x[outside], BOX_SIZE)
            if is_hostile:
                odd = rng.random(n) < 0.0005
                x[odd, rng.integers(3)] = np.nan
                far = rng.random(n) < 0.0005
                x[far] += BOX_SIZE * rng.integers(-5, 6, (far.sum(), 3))
            start = offsets[cells[0]]
            coordinates[start : start + n] = x
            masses[start : start + n] = of_row / n_cells + rng.random(n) * 0.01
            ids[start : start + n] = np.arange(start, start + n)
            filled = cells[counts[cells] > 0]
            least[filled] = np.fmin.reduceat(x, offsets[filled] - start)
            greatest[filled] = np.fmax.reduceat(x, offsets[filled] - start)
        cells = file.create_group("Cells")
        cells["Centres"] = centres
        cells["Counts/PartType0"] = counts
        cells["Files/PartType0"] = np.zeros(n_cells, "i4")
        cells["OffsetsInFile/PartType0"] = offsets
        if has_bounds:
            cells["MinPositions/PartType0"] = least
            cells["MaxPositions/PartType0"] = greatest
        about = cells.create_group("Meta-data")
        about.attrs["dimension"] = np.array([n_side] * 3, "i4")
        about.attrs["nr_cells"] = [n_cells]
        about.attrs["size"] = [size] * 3


def strip_bounds(path):
    with h5py.File(path, "a") as file:
        for name in ("MinPositions", "MaxPositions"):
            if f"Cells/{name}" in file:
                del file[f"Cells/{name}"]


def write_nested(folder):
    """A virtual dataset of a virtual dataset of the values of inner.hdf5, which is replaced to change them."""
    write_snapshot(folder / "inner.hdf5", 30_000, 4, False, seed=5)
    write_snapshot(folder / "inner-other.hdf5", 30_000, 4, False, seed=6)
    for name, source in (("middle.hdf5", "inner.hdf5"), ("outer.hdf5", "middle.hdf5")):
        shutil.copy(folder / "inner.hdf5", folder / name)
        with h5py.File(folder / name, "a") as file:
            for field in ("Coordinates", "Masses", "ParticleIDs"):
                path = f"PartType0/{field}"
                shape, dtype = file[path].shape, file[path].dtype
                del file[path]
                layout = h5py.VirtualLayout(shape, dtype)
                layout[:] = h5py.VirtualSource(source, path, shape, dtype)
                file.create_virtual_dataset(path, layout)


def main(folder, data):
    write_snapshot(folder / "with-bounds.hdf5", 150_000, 10, True, is_compressed=True)
    write_snapshot(folder / "without-bounds.hdf5", 150_000, 10, False, is_compressed=True)
    write_snapshot(folder / "other.hdf5", 150_000, 10, False, seed=2, is_compressed=True)
    write_snapshot(folder / "hostile.hdf5", 50_000, 6, False, seed=3, is_hostile=True)
    # Particles in no cell, at the end, as in zoom snapshots.
    write_snapshot(folder / "outside-cells.hdf5", 50_000, 6, True, seed=4)
    with h5py.File(folder / "outside-cells.hdf5", "a") as file:
        file["Cells/Counts/PartType0"][-20:] = 0
    write_snapshot(folder / "no-cells.hdf5", 50_000, 6, False, seed=4)
    with h5py.File(folder / "no-cells.hdf5", "a") as file:
        del file["Cells"]
    write_nested(folder)
    for path in data.glob("*.hdf5"):
        if path.name.startswith(("cosmo_box_virtual_lossy", "cosmo_box_many_chunks", "cosmo_box_gzip_v1", "fof_catalogue.")):
            shutil.copy(path, folder / path.name)
            strip_bounds(folder / path.name)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    if sys.argv[2] == "--rows":
        n_rows = int(sys.argv[3])
        n_side = max(4, round((n_rows / 2000) ** (1 / 3)))
        for name, has_bounds in (("with-bounds", True), ("without-bounds", False)):
            write_snapshot(folder / f"{name}.hdf5", n_rows, n_side, has_bounds, drift=0.1)
    else:
        main(folder, Path(sys.argv[2]))
