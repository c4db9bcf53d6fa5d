"""Finds what is in an archive with a member over 4 GiB, and checks that member's checksum."""

import sys
import zipfile

import numpy as np

archive = zipfile.ZipFile(sys.argv[1])
with np.load(sys.argv[1]) as arrays:
    assert arrays["before"].tolist() == arrays["after"].tolist() == [1, 2, 3]
with archive.open("large.npy") as member:
    assert np.lib.format.read_magic(member) == (1, 0)
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(member)
    n_bytes = 0
    # Reading to the end compares the checksum.
    while block := member.read(1 << 24):
        n_bytes += len(block)
assert shape == (n_bytes,) and dtype == "u1"
print(n_bytes)
