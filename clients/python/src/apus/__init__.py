"""Reads the output of SWIFT cosmological simulations from an Apus server.

    >>> import apus
    >>> file = apus.connect("http://127.0.0.1:8000").open("cosmic_web_0002.hdf5")
    >>> file.gas.coordinates[:1000]
    >>> file.gas.select("coordinates", "masses", sphere=(22.1, 25.5, 27.4, 2), where="temperatures > 1e6 K").masses.sum()

`connect` returns a `Connection`, its `open` a `File`, which has a `Group` for each particle type under swiftsimio's name, with a `Field` for
each dataset; `select` of a file or group returns a `Selection` that the server makes. All errors are `ApusError`s.
"""

from .connection import Connection, connect
from .errors import ApusError, BadRequest, Broken, Busy, NotFound, ServerFailed, TooLarge, Unauthorized, Unreachable, Unreadable
from .field import Field
from .file import File
from .group import Group
from .pictures import Histogram, Image, Profile
from .select import Selection, Values
from .server import Entry

__version__ = "0.1.0"

__all__ = [
    "ApusError", "BadRequest", "Broken", "Busy", "Connection", "Entry", "Field", "File", "Group", "Histogram", "Image", "NotFound", "Profile",
    "Selection", "ServerFailed", "TooLarge", "Unauthorized", "Unreachable", "Unreadable", "Values", "connect",
]  # fmt: skip
