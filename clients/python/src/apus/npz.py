"""Archives of arrays in the npz form, read as they come, each array into memory that is allocated once.

Source: PKWARE's APPNOTE 6.3.10. What numpy and Apus write is read: members that are not compressed, with what is known of them behind them.
"""

from __future__ import annotations

import struct

from . import errors
from .npy import Array, read_array
from .stream import Stream

_LOCAL, _DESCRIPTOR, _CENTRAL, _END = (b"PK\x03\x04", b"PK\x07\x08", b"PK\x01\x02", b"PK\x05\x06")
_HAS_DESCRIPTOR, _ZIP64 = 1 << 3, 1


def read_archive(stream: Stream) -> dict[str, Array]:
    """The arrays by name, in the order of the archive; the checksum of each is verified.

    Errors: `Broken` for what is no such archive, or is damaged.
    """
    arrays: dict[str, Array] = {}
    while (signature := stream.read_exactly(4)) == _LOCAL:
        name, descriptor = _local_header(stream)
        stream.crc32 = 0
        start = stream.position
        array = read_array(stream)
        found = (stream.crc32, stream.position - start)
        stream.crc32 = None
        told = struct.unpack(descriptor, stream.read_exactly(struct.calcsize(descriptor)))
        if told != (_DESCRIPTOR, found[0], found[1], found[1]):
            raise errors.Broken(f"{name}: the checksum of the values is not that of the answer")
        arrays[name.removesuffix(".npy")] = array
    if signature not in (_CENTRAL, _END):
        raise errors.Broken("the answer is no archive in npz form")
    while stream.read():
        pass
    return arrays


def _local_header(stream: Stream) -> tuple[str, str]:
    """The name of a member, and the form of what follows it."""
    _, flags, method, _, _, _, _, _, n_name, n_extra = struct.unpack("<HHHHHLLLHH", stream.read_exactly(26))
    name, extra = stream.read_exactly(n_name).decode("utf-8", "replace"), stream.read_exactly(n_extra)
    if method != 0 or not flags & _HAS_DESCRIPTOR:
        raise errors.Broken(f"{name}: a member of a kind that is not read")
    is_large = n_extra >= 2 and int.from_bytes(extra[:2], "little") == _ZIP64
    return name, "<4sLQQ" if is_large else "<4sLLL"
