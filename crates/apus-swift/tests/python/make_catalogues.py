"""Writes small files of kinds that no run at hand wrote, as SOAP and older SWIFT versions lay them out, into a folder.

    make_catalogues.py FOLDER
"""

import sys
from pathlib import Path

import h5py
import numpy as np


def header(file, **more):
    attributes = {
        "BoxSize": [10.0, 10.0, 10.0],
        "Scale-factor": [0.5],
        "Redshift": [1.0],
        "Time": [0.01],
        "Dimension": [3],
        "NumFilesPerSnapshot": [1],
        "NumPart_ThisFile": np.zeros(7, dtype="i8"),
        "NumPart_Total": np.zeros(7, dtype="u4"),
        "NumPart_Total_HighWord": np.zeros(7, dtype="u4"),
        "MassTable": np.zeros(7),
        "ThisFile": [0],
        **more,
    }
    group = file.create_group("Header")
    for name, value in attributes.items():
        group.attrs[name] = value


def units(file):
    group = file.create_group("Units")
    group.attrs["Unit mass in cgs (U_M)"] = [1.98841e43]
    group.attrs["Unit length in cgs (U_L)"] = [3.08567758e24]
    group.attrs["Unit time in cgs (U_t)"] = [3.08567758e19]
    group.attrs["Unit current in cgs (U_I)"] = [1.0]
    group.attrs["Unit temperature in cgs (U_T)"] = [1.0]
    cosmology = file.create_group("Cosmology")
    for name, value in {
        "Cosmological run": 1, "H0 [internal units]": 67.77, "h": 0.6777, "Omega_m": 0.307, "Omega_lambda": 0.693,
        "Omega_b": 0.0482519, "Omega_r": 9.1e-5, "w_0": -1.0, "w_a": 0.0,
    }.items():
        cosmology.attrs[name] = [value]


def field(group, name, data, powers, a_exponent=0.0, physical=0, **more):
    dataset = group.create_dataset(name, data=data)
    for symbol, power in zip("MLtIT", powers):
        dataset.attrs[f"U_{symbol} exponent"] = np.array([power], dtype="f4")
    dataset.attrs["a-scale exponent"] = np.array([a_exponent], dtype="f4")
    dataset.attrs["h-scale exponent"] = np.array([0.0], dtype="f4")
    dataset.attrs["Value stored as physical"] = np.array([physical], dtype="u1")
    dataset.attrs["Property can be converted to comoving"] = np.array([1 - physical], dtype="u1")
    dataset.attrs["Conversion factor to CGS (not including cosmological corrections)"] = [
        float(np.prod(np.array([1.98841e43, 3.08567758e24, 3.08567758e19, 1.0, 1.0]) ** np.array(powers)))
    ]
    dataset.attrs["Lossy compression filter"] = "DScale5"
    dataset.attrs["Description"] = f"What {name} is."
    dataset.attrs["Is Compressed"] = True
    for key, value in more.items():
        dataset.attrs[key] = value


def soap(path, types):
    """A SOAP catalogue: nested groups, strings of variable length, masked fields, one cell table for all."""
    rng = np.random.default_rng(1)
    n = 20
    with h5py.File(path, "w") as file:
        header(file, Code="SOAP", OutputType="SOAP", RunName="catalogue", NumSubhalos_ThisFile=[n], NumSubhalos_Total=[n],
               **({"SubhaloTypes": types} if types else {}))
        units(file)
        positions = np.sort(rng.uniform(0, 10, (n, 3)), axis=0)
        for name in types or ["BoundSubhalo", "InputHalos", "InputHalos/HBTplus", "ProjectedAperture/50kpc/projx", "SO/200_crit", "SOAP"]:
            group = file.require_group(name)
            field(group, "TotalMass", rng.uniform(size=n).astype("f4"), [1, 0, 0, 0, 0],
                  **{"Masked": True, "Mask Datasets": ["BoundSubhalo/NumberOfGasParticles", "BoundSubhalo/NumberOfStarParticles"], "Mask Threshold": 100})
            field(group, "CentreOfMass", positions, [0, 1, 0, 0, 0], 1.0, **{"Masked": False})
            field(group, "SpectroscopicLikeTemperature", rng.uniform(size=n).astype("f4"), [0, 0, 0, 0, 1], 0.0, 1, **{"Masked": False})
        cells = file.create_group("Cells")
        meta = cells.create_group("Meta-data")
        meta.attrs["dimension"] = np.array([2, 2, 2], dtype="i4")
        meta.attrs["nr_cells"] = np.array([8], dtype="i4")
        meta.attrs["size"] = np.array([5.0, 5.0, 5.0])
        grid = np.array([[x, y, z] for x in (2.5, 7.5) for y in (2.5, 7.5) for z in (2.5, 7.5)])
        cells["Centres"] = grid
        counts = np.array([3, 2, 4, 1, 0, 5, 2, 3], dtype="i8")
        cells["Counts/Subhalos"] = counts
        cells["OffsetsInFile/Subhalos"] = np.r_[0, np.cumsum(counts)[:-1]]
        cells["Files/Subhalos"] = np.zeros(8, dtype="i4")


def old_snapshot(path):
    """A snapshot of before 2019: no output type, one number for the box, `Offsets`, no bounds of cells, no names of types."""
    rng = np.random.default_rng(2)
    n_cells = 27
    with h5py.File(path, "w") as file:
        counts = {0: rng.integers(0, 9, n_cells), 1: rng.integers(0, 9, n_cells)}
        n = np.array([counts[0].sum(), counts[1].sum(), 0, 0, 0, 0, 0])
        header(file, NumPart_ThisFile=n, NumPart_Total=n.astype("u4"), BoxSize=[9.0, 9.0, 9.0], RunName="old")
        units(file)
        grid = np.array([[x, y, z] for x in (1.5, 4.5, 7.5) for y in (1.5, 4.5, 7.5) for z in (1.5, 4.5, 7.5)])
        cells = file.create_group("Cells")
        meta = cells.create_group("Meta-data")
        meta.attrs["dimension"] = np.array([3, 3, 3], dtype="i4")
        meta.attrs["nr_cells"] = np.array([n_cells], dtype="i4")
        meta.attrs["size"] = np.array([3.0, 3.0, 3.0])
        cells["Centres"] = grid
        for kind, count in counts.items():
            cells[f"Counts/PartType{kind}"] = count
            # Written in the order of another rank's cells, so that offsets do not ascend.
            order = rng.permutation(n_cells)
            offsets = np.empty(n_cells, dtype="i8")
            offsets[order] = np.r_[0, np.cumsum(count[order])[:-1]]
            cells[f"Offsets/PartType{kind}"] = offsets
            group = file.create_group(f"PartType{kind}")
            positions = np.empty((n[kind], 3))
            for cell in range(n_cells):
                rows = slice(offsets[cell], offsets[cell] + count[cell])
                positions[rows] = grid[cell] + rng.uniform(-1.7, 1.7, (count[cell], 3))
            field(group, "Coordinates", positions % 9.0, [0, 1, 0, 0, 0], 1.0)
            field(group, "ParticleIDs", np.arange(n[kind], dtype="u8") + 1, [0, 0, 0, 0, 0])


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    soap(folder / "soap.hdf5", ["BoundSubhalo", "InputHalos", "InputHalos/HBTplus", "ProjectedAperture/50kpc/projx", "SO/200_crit", "SOAP"])
    soap(folder / "soap_without_types.hdf5", None)
    old_snapshot(folder / "old_snapshot.hdf5")
    with h5py.File(folder / "not_swift.hdf5", "w") as file:
        file["x"] = np.arange(3)
    with h5py.File(folder / "gadget.hdf5", "w") as file:
        header(file)
        file["PartType0/Coordinates"] = np.zeros((2, 3))
    with h5py.File(folder / "no_box.hdf5", "w") as file:
        units(file)
        file.create_group("Header").attrs["Code"] = "SWIFT"


main()
