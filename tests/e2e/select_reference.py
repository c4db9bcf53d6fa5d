"""What numpy says of a selection, by brute force."""

import io

import h5py
import numpy as np


def arrays_of(response):
    """The arrays of an npz answer, by name."""
    assert response.status_code == 200, response.text
    with np.load(io.BytesIO(response.content), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def box_sides(f):
    sides = np.atleast_1d(f["Header"].attrs["BoxSize"]).astype("f8")
    return np.array([sides[min(i, len(sides) - 1)] for i in range(3)])


def in_box(x, bounds, sides):
    """Which positions lie in `[xmin, xmax, ymin, ...]`, half-open; `None` is an open side, an upper bound below the lower one means across the boundary."""
    inside = np.ones(len(x), bool)
    for axis in range(3):
        side = sides[axis]
        lower, upper = bounds[2 * axis : 2 * axis + 2]
        lower, upper = (0.0 if lower is None else lower), (side if upper is None else upper)
        if abs(upper - lower) > side:
            continue
        if upper < lower:
            if lower > side / 2:
                lower -= side
            elif upper < side / 2:
                upper += side
        wrapped = np.mod(x[:, axis].astype("f8"), side)
        inside &= np.any([(lower <= wrapped + k * side) & (wrapped + k * side < upper) for k in (-1, 0, 1)], axis=0)
    return inside


def in_sphere(x, sphere, sides):
    """Which positions lie in the closed periodic sphere `[x, y, z, radius]`."""
    d = x.astype("f8") - np.array(sphere[:3])
    d -= sides * np.round(d / sides)
    return d[:, 0] ** 2 + d[:, 1] ** 2 + d[:, 2] ** 2 <= sphere[3] ** 2


def mix(ids):
    """The finaliser of splitmix64."""
    with np.errstate(over="ignore"):
        z = ids.astype("u8") + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ z >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ z >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
        return z ^ z >> np.uint64(31)


def in_sample(ids, fraction):
    return (mix(ids) >> np.uint64(11)).astype("f8") < fraction * 2.0**53


def same(left, right):
    return (left.dtype, left.shape, left.tobytes()) == (right.dtype, right.shape, right.tobytes())


def opens(group, name):
    """Whether current HDF5 opens a dataset at all: it refuses some that SWIFT wrote."""
    try:
        return name in group and isinstance(group[name], h5py.Dataset)
    except KeyError:
        return False


def has_particles(path):
    """Whether a file of SWIFT's holds particles by type: catalogues and sightlines do not."""
    with h5py.File(path) as f:
        return bool(particle_types(f))


def particle_types(f):
    return [name for name in f if name.startswith("PartType") and opens(f[name], "Coordinates") and opens(f[name], "ParticleIDs")]
