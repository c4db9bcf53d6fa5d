"""The files of the comparison, made once and kept in one folder, with the true arrays beside them.

`field.hdf5` is a snapshot with 64^3 cells whose 8 million gas particles lie in the order of their cells, as SWIFT writes them: gzip 4,
shuffle and fletcher32 in chunks of 8192 rows. The others hold the same coordinates, or parts of them, stored in other ways.
"""

import json
import pathlib
import sys

import h5py
import numpy as np
from h5py import h5d, h5p, h5s, h5t

from . import lossy

VERSION = "3"  # of what this module writes: files of another one are made again
BOX_SIZE = 100.0
N_CELLS_SIDE = 64
CHUNK_ROWS = 8192
N_PARTS = 8
COORDINATES = "/PartType0/Coordinates"
TEMPLATE = pathlib.Path(__file__).resolve().parents[2] / "tests" / "data" / "cosmo_box_many_chunks.hdf5"
SWIFT_GZIP = {"chunks": (CHUNK_ROWS, 3), "compression": "gzip", "compression_opts": 4, "shuffle": True, "fletcher32": True}


class Files:
    """The folder with the files. `truth` is the coordinates as one array in the memory map of a file of nothing else."""

    def __init__(self, folder, n_rows, n_chunks, say):
        self.folder = pathlib.Path(folder)
        self.n_rows, self.n_chunks, self.say = n_rows, n_chunks, say
        self.cells = N_CELLS_SIDE**3
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in ("truth.raw", "field.hdf5", "plain.hdf5", "virtual.hdf5", "lossy.hdf5", "many_chunks.hdf5", "hot.raw"):
            self._make(name)

    @property
    def truth(self):
        return np.memmap(self.folder / "truth.raw", "<f8", "r").reshape(-1, 3)

    def _make(self, name):
        stamp = self.folder / f".{name}.json"
        wanted = json.dumps([VERSION, self.n_rows, self.n_chunks, h5py.__version__])
        if (self.folder / name).exists() and stamp.exists() and stamp.read_text() == wanted:
            return
        self.say(f"making {self.folder / name}")
        stamp.unlink(missing_ok=True)
        getattr(self, "_write_" + name.partition(".")[0])(self.folder / name)
        stamp.write_text(wanted)

    def _write_truth(self, path):
        rng = np.random.default_rng(1)
        width = BOX_SIZE / N_CELLS_SIDE
        counts = rng.multinomial(self.n_rows, np.full(self.cells, 1 / self.cells))
        np.save(self.folder / "counts.npy", counts)
        corners = np.stack(np.unravel_index(np.repeat(np.arange(self.cells), counts), (N_CELLS_SIDE,) * 3), 1) * width
        (corners + rng.random((self.n_rows, 3)) * width).astype("<f8").tofile(path)

    def _write_field(self, path):
        counts = np.load(self.folder / "counts.npy")
        with h5py.File(TEMPLATE) as old, h5py.File(path, "w") as f:
            for name in old:
                if not name.startswith("PartType") and name != "Cells" and old.get(name, getlink=True).__class__ is h5py.HardLink:
                    old.copy(name, f)
            width = BOX_SIZE / N_CELLS_SIDE
            header = f["Header"].attrs
            set_value(header, "BoxSize", BOX_SIZE)
            for name, n in (("NumPart_ThisFile", self.n_rows), ("NumPart_Total", self.n_rows), ("TotalNumberOfParticles", self.n_rows), ("CanHaveTypes", 1)):
                if name in header:
                    header.modify(name, np.eye(1, header[name].size, dtype=header[name].dtype)[0] * n)
            set_value(header, "NumPart_Total_HighWord", 0)
            centres = np.stack(np.unravel_index(np.arange(self.cells), (N_CELLS_SIDE,) * 3), 1) * width + width / 2
            cells = f.create_group("Cells")
            for name in old["Cells"]:
                if name not in ("Centres", "Counts", "Files", "OffsetsInFile", "Offsets", "MinPositions", "MaxPositions"):
                    old.copy(f"Cells/{name}", cells)
            meta = cells["Meta-data"].attrs
            set_value(meta, "nr_cells", self.cells)
            set_value(meta, "size", width)
            set_value(meta, "dimension", N_CELLS_SIDE)
            offsets = np.cumsum(counts) - counts
            options = {"compression": "gzip", "compression_opts": 4, "shuffle": True, "fletcher32": True}
            cells.create_dataset("Centres", data=centres, chunks=(CHUNK_ROWS, 3), **options)
            for name, values in (("Counts", counts), ("Files", counts * 0), ("OffsetsInFile", offsets)):
                cells.create_dataset(f"{name}/PartType0", data=values.astype("i8"), chunks=(CHUNK_ROWS,), **options)
            for name, extreme in (("MinPositions", np.minimum), ("MaxPositions", np.maximum)):
                bounds = np.where(counts[:, None] > 0, extreme.reduceat(self.truth, np.minimum(offsets, self.n_rows - 1)), centres)
                cells.create_dataset(f"{name}/PartType0", data=bounds, chunks=(CHUNK_ROWS, 3), **options)
            gas = f.create_dataset(COORDINATES, data=self.truth, **SWIFT_GZIP)
            for name, value in old[COORDINATES].attrs.items():
                gas.attrs[name] = value
            for name, value in old["PartType0"].attrs.items():
                gas.parent.attrs[name] = value
            f["GasParticles"] = h5py.SoftLink("/PartType0")

    def _write_plain(self, path):
        with h5py.File(path, "w") as f:
            f.create_dataset("chunked", data=self.truth, chunks=(CHUNK_ROWS, 3))
            f.create_dataset("checksum", data=self.truth, chunks=(CHUNK_ROWS, 3), fletcher32=True)
            f.create_dataset("contiguous", data=self.truth)
            f.create_dataset("json", data=self.truth[: self.n_rows // 8])

    def _write_virtual(self, path):
        shape = self.truth.shape
        layout = h5py.VirtualLayout(shape, "f8")
        bounds = np.linspace(0, self.n_rows, N_PARTS + 1).astype(int)
        for i, (begin, end) in enumerate(zip(bounds, bounds[1:])):
            with h5py.File(self.folder / f"virtual.{i}.hdf5", "w") as f:
                f.create_dataset(COORDINATES, data=self.truth[begin:end], **SWIFT_GZIP)
            layout[begin:end] = h5py.VirtualSource(f"virtual.{i}.hdf5", COORDINATES.lstrip("/"), shape=(end - begin, 3))
        with h5py.File(path, "w", libver=("v110", "v110")) as f:
            f.create_virtual_dataset(COORDINATES, layout)

    def _write_lossy(self, path):
        lossy.write_chains(path, self.truth[: self.n_rows // 8, 0].copy())

    def _write_many_chunks(self, path):
        # The library allocates all chunks at once, far faster than a call for each; the values are laid where it put them.
        with h5py.File(path, "w") as f:
            dcpl = h5p.create(h5p.DATASET_CREATE)
            dcpl.set_chunk((1,))
            dcpl.set_alloc_time(h5d.ALLOC_TIME_EARLY)
            dcpl.set_fill_time(h5d.FILL_TIME_NEVER)
            dataset = h5d.create(f.id, b"x", h5t.IEEE_F64LE, h5s.create_simple((self.n_chunks,)), dcpl)
            places = []
            dataset.chunk_iter(lambda chunk: places.append((chunk.chunk_offset[0], chunk.byte_offset)))
        places = np.array(places, "i8")
        values = np.memmap(path, "u1", "r+")
        rows = places[:, 0].astype("<f8").view("u1").reshape(-1, 8)
        for byte in range(8):
            values[places[:, 1] + byte] = rows[:, byte]
        values.flush()

    def _write_hot(self, path):
        path.write_bytes(self.truth[self.n_rows // 2 :][:300].tobytes())


def set_value(attributes, name, value):
    """Fills an attribute that is there, keeping its type and shape."""
    if name in attributes:
        attributes.modify(name, np.full_like(attributes[name], value))


def say_on_stderr(text):
    print(text, file=sys.stderr, flush=True)
