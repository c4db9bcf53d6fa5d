"""Counts the members of an archive with more of them than 16 bits count, and reads some."""

import sys

import numpy as np

with np.load(sys.argv[1]) as arrays:
    for i in (0, 255, 65_535, 65_536, 69_999):
        assert arrays[str(i)].tolist() == [i % 256]
    print(len(arrays.files))
