"""Writes the positions of particles in random regions, as numpy finds them among all.

    brute_force.py FILE N_REGIONS

One line of JSON: {"regions": [{"box": [[a, b], ...]} or {"sphere": [x, y, z, r]}, ...], "positions": [[[x, y, z], ...], ...]}, for the first of
/PartType0/Coordinates and /Groups/Centres that there is.
"""

import json
import sys

import h5py
import numpy as np


def inside_box(x, bounds, size):
    x = np.mod(x, size)
    inside = np.ones(len(x), bool)
    for axis, (lower, upper) in enumerate(bounds):
        if upper < lower:
            if lower > size[axis] / 2:
                lower -= size[axis]
            else:
                upper += size[axis]
        copies = [x[:, axis] + k * size[axis] for k in (-1, 0, 1)]
        inside &= np.any([(lower <= c) & (c < upper) for c in copies], axis=0)
    return inside


def inside_sphere(x, centre, radius, size):
    d = x - centre
    d -= size * np.round(d / size)
    return d[:, 0] ** 2 + d[:, 1] ** 2 + d[:, 2] ** 2 <= radius**2


with h5py.File(sys.argv[1]) as file:
    size = np.broadcast_to(np.asarray(file["Header"].attrs["BoxSize"], "f8"), 3)
    x = next(file[path][:] for path in ("PartType0/Coordinates", "Groups/Centres") if path in file)
rng = np.random.default_rng(len(x))
regions, positions = [], []
with np.errstate(invalid="ignore"):
    for i in range(int(sys.argv[2])):
        near = x[rng.integers(len(x))]
        near = np.mod(np.where(np.isfinite(near), near, 0.0), size)
        if i % 2:
            radius = float(rng.uniform(0.0, 0.08) * size.min())
            regions.append({"sphere": [*near.tolist(), radius]})
            mask = inside_sphere(x, near, radius, size)
        else:
            half = rng.uniform(0.0, 0.08, 3) * size
            bounds = np.stack([near - half, near + half], axis=1)
            regions.append({"box": bounds.tolist()})
            mask = inside_box(x, bounds.tolist(), size)
        positions.append(x[mask].tolist())
print(json.dumps({"regions": regions, "positions": positions}))
