"""Reads the output of SWIFT cosmological simulations from an Apus server.

    >>> import apus
    >>> file = apus.connect("http://127.0.0.1:8000").open("cosmic_web_0002.hdf5")
    >>> file.gas["coordinates"][:1000]
    >>> file.gas.select("coordinates", "masses", sphere=(22.1, 25.5, 27.4, 2), where="temperatures > 1e6 K").masses.sum()

`connect` gives a `Connection`, its `open` a `File`, which has a `Group` for each particle type under swiftsimio's name, with a `Field` for
each dataset; `select` of either a `Selection` that the server makes. Everything that goes wrong is an `ApusError`.
"""

from .connection import Connection, Entry, connect
from .errors import ApusError, BadRequest, Broken, Busy, NotFound, ServerFailed, TooLarge, Unauthorized, Unreachable, Unreadable
from .file import Field, File, Group
from .select import Selection, Values

__version__ = "0.1.0"

__all__ = [
    "ApusError", "BadRequest", "Broken", "Busy", "Connection", "Entry", "Field", "File", "Group", "NotFound", "Selection", "ServerFailed",
    "TooLarge", "Unauthorized", "Unreachable", "Unreadable", "Values", "connect",
]  # fmt: skip
