"""Writes what swiftsimio's masks select in random boxes of files.

    mask_cells.py N_BOXES PATH...

For each file one line of JSON: {"path": ..., "refused": reason} or {"path": ..., "boxes": [...], "rows": {group: [...]}}. A box is three
pairs of bounds, null for an open axis. Rows are flat lists start, end, start, end ... in swiftsimio's order, with neighbouring ranges joined,
null where it refuses the box.
"""

import json
import sys
import warnings

import numpy as np
import swiftsimio
from swiftsimio.objects import cosmo_array

warnings.simplefilter("ignore")


def random_boxes(rng, mask, box_size, n):
    """Boxes of all sizes, across boundaries, inside out, too far out, with bounds on the very edges of cells and particles."""
    edges = np.unique(np.concatenate([np.asarray(v).ravel() for v in (*mask.minpositions.values(), *mask.maxpositions.values())]))
    edges = edges[np.isfinite(edges)]
    boxes = []
    for _ in range(n):
        box = []
        for axis in range(3):
            length = box_size[axis]
            kind = rng.integers(8)
            if kind == 0:
                box.append(None)
                continue
            if kind == 1:
                bounds = rng.choice(edges, 2) + length * rng.integers(-1, 2, 2) * (rng.random(2) < 0.2)
            elif kind == 2:
                bounds = rng.uniform(-0.55 * length, 1.55 * length, 2)
            elif kind == 3:
                bounds = np.sort(rng.uniform(-0.5 * length, 1.5 * length, 2))
            else:
                lower = rng.uniform(-0.3 * length, length)
                bounds = np.array([lower, lower + length * 10 ** rng.uniform(-3, -0.3)])
            box.append([float(b) for b in bounds])
        boxes.append(box)
    return boxes


def joined(ranges):
    flat = []
    for start, end in ranges:
        if start == end:
            continue
        if flat and flat[-1] == start:
            flat[-1] = int(end)
        else:
            flat += [int(start), int(end)]
    return flat


def rows(mask, groups):
    return {group: joined(np.asarray(getattr(mask, group)).reshape(-1, 2)) for group in groups}


def with_units(box, mask):
    """The box as people hand it to `constrain_spatial`."""
    like = dict(units=mask.metadata.boxsize.units, comoving=True, scale_factor=mask.metadata.scale_factor, scale_exponent=1)
    return [bounds and cosmo_array(bounds, **like) for bounds in box]


def select(mask, groups, constrain):
    mask.constrained = None
    try:
        constrain()
    except ValueError:
        return None
    return rows(mask, groups)


def main():
    n_boxes = int(sys.argv[1])
    for path in sys.argv[2:]:
        try:
            mask = swiftsimio.mask(path)
        except Exception as error:  # whatever it raises: the file is refused
            print(json.dumps({"path": path, "refused": f"{type(error).__name__}: {error}"}))
            continue
        groups = [g for g in mask.metadata.present_group_names]
        box_size = np.asarray(mask.metadata.boxsize.value)
        boxes = random_boxes(np.random.default_rng(7), mask, box_size, n_boxes)
        first = [select(mask, groups, lambda: mask.constrain_spatial(with_units(box, mask))) for box in boxes[:5]]
        # The same code on plain numbers, which is what makes a thousand boxes of each file bearable.
        for bounds in (mask.minpositions, mask.maxpositions):
            for group in bounds:
                bounds[group] = np.asarray(bounds[group].value)
        mask.metadata.boxsize = box_size

        def constrain(box):
            region = np.array([bounds or [0.0, box_size[axis]] for axis, bounds in enumerate(box)])
            mask.cell_mask = mask._generate_cell_mask(region)
            mask._update_range_masks()

        selected = [select(mask, groups, lambda: constrain(box)) for box in boxes]
        assert selected[: len(first)] == first, path
        print(json.dumps({"path": path, "boxes": boxes, "rows": {g: [s and s[g] for s in selected] for g in groups}}))


main()
