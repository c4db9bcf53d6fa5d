"""Loads the arrays that the test wrote."""

import sys
import zipfile

import numpy as np

assert zipfile.ZipFile(sys.argv[1]).testzip() is None
with np.load(sys.argv[1]) as arrays:
    assert list(arrays) == ["gas.coordinates", "stars.nothing", "größe ☉", "scalar"], list(arrays)
    positions = arrays["gas.coordinates"]
    assert positions.dtype == "f8" and np.array_equal(positions, (np.arange(3000) / 7.0).reshape(1000, 3))
    assert arrays["stars.nothing"].shape == (0, 3) and arrays["stars.nothing"].dtype == "f4"
    assert np.array_equal(arrays["größe ☉"], -np.arange(1000))
    assert arrays["scalar"].shape == () and arrays["scalar"] == 7
print("loaded")
