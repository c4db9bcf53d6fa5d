"""Writes one folder for each kind of file, and generations of the file that its values really lie in.

    files.py DEMO OUT

OUT/kinds/{kind}/asked.hdf5 is what requests ask for, OUT/kinds/{kind}/INNERMOST names the file beside it that is changed, and
OUT/generations/{base}/{g}.hdf5 are states of that file: of the same size, with the same datasets at the same places, with other values.
OUT/kinds/{kind}/BASE names the base. Everything but the values is as in the demonstration.
"""

import pathlib
import shutil
import sys

import h5py
import numpy as np

N_ROWS = 50_000
N_GENERATIONS = 4
CHUNK_ROWS = 4096
FIELDS = ("Coordinates", "Masses", "Temperatures", "ParticleIDs", "FOFGroupIDs")
# Level 0 stores: so all generations have the same size and every chunk its place.
BASES = {
    "contiguous": {},
    "chunked": {"chunks": True},
    "gzip": {"chunks": True, "compression": "gzip", "compression_opts": 0},
    "checked": {"chunks": True, "compression": "gzip", "compression_opts": 0, "shuffle": True, "fletcher32": True},
    "strings": {"chunks": True},
}


def values(field, generation):
    """Values that no two generations share, and that rows near each other do not share either."""
    rows = np.arange(N_ROWS)
    if field == "ParticleIDs":
        return rows.astype("u8") + 1
    if field == "FOFGroupIDs":
        return (rows % 5).astype("i8") + 1
    fraction = (rows % 251) / 256
    if field == "Coordinates":
        return np.stack([generation + 1 + fraction, generation + 1 + fraction / 2, np.full(N_ROWS, generation + 1.0)], 1)
    if field == "Temperatures":
        return ((generation + 1 + fraction) * 1e5).astype("f4")
    return (generation + 1 + fraction).astype("f4")


def labels(generation):
    """Texts of variable length, two-dimensional as positions are, so that whatever asks for those may ask for these."""
    texts = np.array([f"generation {generation} " + "x" * n for n in range(7)], object)
    return texts[np.arange(N_ROWS * 3).reshape(N_ROWS, 3) % 7]


def metadata(demo, f):
    """Everything of the demonstration but particles, with the cells of so many rows."""
    for name in demo:
        link = demo.get(name, getlink=True)
        if isinstance(link, h5py.SoftLink):
            f[name] = link
        elif not name.startswith("PartType"):
            demo.copy(name, f)
    f.attrs.update(demo.attrs)
    header = f["Header"].attrs
    for name in ("NumPart_ThisFile", "NumPart_Total", "TotalNumberOfParticles"):
        counts = header[name]
        counts[:] = 0
        counts[0] = N_ROWS
        header[name] = counts
    cells = f["Cells"]
    n_cells = len(cells["Centres"])
    edges = np.linspace(0, N_ROWS, n_cells + 1).astype("i8")
    cells["Counts/PartType0"][:], cells["OffsetsInFile/PartType0"][:] = np.diff(edges), edges[:-1]
    # Every cell may hold everything: regions are decided row by row.
    cells["MinPositions/PartType0"][:], cells["MaxPositions/PartType0"][:] = 0, 50
    for name in ("Counts", "OffsetsInFile", "Files", "MinPositions", "MaxPositions"):
        del cells[name]["PartType1"]
    f.create_group("PartType0").attrs.update(demo["PartType0"].attrs)


def describe(demo, field, dataset):
    if field in demo["PartType0"]:
        dataset.attrs.update(demo["PartType0"][field].attrs)


def write_whole(demo, path, base, generation):
    options = dict(BASES[base])
    chunked = options.pop("chunks", False)
    with h5py.File(path, "w", libver="latest") as f:
        metadata(demo, f)
        for field in FIELDS:
            data = values(field, generation)
            chunks = (CHUNK_ROWS, *data.shape[1:]) if chunked else None
            describe(demo, field, f.create_dataset(f"PartType0/{field}", data=data, chunks=chunks, **options))
        if base == "strings":
            f.create_dataset("PartType0/Labels", data=labels(generation), dtype=h5py.string_dtype(), chunks=(CHUNK_ROWS, 3))


def write_virtual(demo, path, source, names=FIELDS):
    with h5py.File(path, "w", libver="latest") as f:
        metadata(demo, f)
        for field in names:
            data = values(field, 0)
            layout = h5py.VirtualLayout(shape=data.shape, dtype=data.dtype)
            layout[:] = h5py.VirtualSource(source, f"PartType0/{field}", shape=data.shape)
            describe(demo, field, f.create_virtual_dataset(f"PartType0/{field}", layout, fillvalue=7))


def write_links(demo, path, target):
    with h5py.File(path, "w", libver="latest") as f:
        metadata(demo, f)
        for field in FIELDS:
            f[f"PartType0/{field}"] = h5py.ExternalLink(target, f"/PartType0/{field}")


def main(demo_path, out):
    with h5py.File(demo_path) as demo:
        for base in BASES:
            folder = out / "generations" / base
            folder.mkdir(parents=True)
            for generation in range(N_GENERATIONS):
                write_whole(demo, folder / f"{generation}.hdf5", base, generation)
            sizes = {path.stat().st_size for path in folder.iterdir()}
            assert len(sizes) == 1, (base, sizes)

        def kind(name, base, innermost):
            folder = out / "kinds" / name
            folder.mkdir(parents=True)
            shutil.copy(out / "generations" / base / "0.hdf5", folder / innermost)
            shutil.copy(demo_path.with_name(f"fof_{demo_path.name}"), folder)
            (folder / "INNERMOST").write_text(innermost)
            (folder / "BASE").write_text(base)
            return folder

        for base in BASES:
            kind(base, base, "asked.hdf5")
        folder = kind("virtual", "contiguous", "part.hdf5")
        write_virtual(demo, folder / "asked.hdf5", "part.hdf5")
        folder = kind("virtual_of_virtual", "checked", "part.hdf5")
        write_virtual(demo, folder / "between.hdf5", "part.hdf5")
        write_virtual(demo, folder / "asked.hdf5", "between.hdf5")
        folder = kind("virtual_over_an_external_link", "chunked", "part.hdf5")
        write_links(demo, folder / "between.hdf5", "part.hdf5")
        write_virtual(demo, folder / "asked.hdf5", "between.hdf5")
        folder = kind("external_links", "gzip", "c.hdf5")
        write_links(demo, folder / "b.hdf5", "c.hdf5")
        write_links(demo, folder / "b_to_d.hdf5", "d.hdf5")
        write_links(demo, folder / "asked.hdf5", "b.hdf5")


main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
