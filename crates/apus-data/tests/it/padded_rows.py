"""Writes the positions of the rows that swiftsimio's masks select in boxes of a file without bounds.

    padded_rows.py FILE PADDING

One line of JSON: {"boxes": [[[a, b], ...], ...], "positions": [[[x, y, z], ...], ...], "inside": the same of those inside of the box}.
"""

import json
import sys
import warnings

import h5py
import numpy as np
import swiftsimio
from swiftsimio.objects import cosmo_array

warnings.simplefilter("ignore")
path, padding = sys.argv[1], float(sys.argv[2])
with h5py.File(path) as file:
    x = file["PartType0/Coordinates"][:]
rng = np.random.default_rng(7)
boxes, positions, insides = [], [], []
for _ in range(12):
    mask = swiftsimio.mask(path, safe_padding=padding)
    size = np.asarray(mask.metadata.boxsize.value)
    lower = rng.uniform(0.0, 0.8, 3) * size
    bounds = np.stack([lower, lower + rng.uniform(0.02, 0.2, 3) * size], axis=1)
    about = {"units": mask.metadata.units.length, "comoving": True, "scale_factor": mask.metadata.scale_factor, "scale_exponent": 1}
    mask.constrain_spatial([cosmo_array(pair, **about) for pair in bounds])
    rows = np.concatenate([np.arange(*pair) for pair in np.atleast_2d(mask.gas)] or [np.zeros(0, int)]).astype(int)
    selected = x[rows]
    boxes.append(bounds.tolist())
    positions.append(selected.tolist())
    insides.append(selected[np.all((bounds[:, 0] <= selected) & (selected < bounds[:, 1]), axis=1)].tolist())
print(json.dumps({"boxes": boxes, "positions": positions, "inside": insides}))
