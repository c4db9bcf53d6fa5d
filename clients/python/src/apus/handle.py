"""A file as h5py's files are: what swiftsimio and swiftgalaxy take as an open file, by the package hdfstream."""

from __future__ import annotations

from typing import Any

from .server import Server


class Handle:
    """The parts of h5py.File that swiftsimio and swiftgalaxy use, on a file of the server."""

    _handle: Any = None

    def __init__(self, connection: Server, path: str) -> None:
        self.connection = connection
        self.path = path

    def hdfstream(self) -> Any:
        """The file as the package hdfstream opens it, an hdfstream.RemoteFile. Always the same, since swiftsimio wants a mask and its dataset
        to share their handle."""
        if self._handle is not None:
            return self._handle
        try:
            import hdfstream
        except ImportError as error:
            raise ImportError("this needs the package hdfstream: pip install hdfstream") from error
        name, secret = self.connection._transport.credentials
        # A connection of its own: hdfstream.open would share it with others of the same name, whatever their secret. Encoded here, since
        # requests takes text for Latin-1.
        account = (name.encode(), secret.encode()) if secret is not None else ()
        self._handle = hdfstream.RemoteFile(hdfstream.Connection(f"{self.connection.url}/hdfstream", *account), f"/{self.path}")
        return self._handle

    def swiftsimio(self, mask: Any = None) -> Any:
        """The file as `swiftsimio.load` gives it, fields loaded when they are used; `mask` as swiftsimio.mask makes it of `hdfstream()`."""
        try:
            import swiftsimio
        except ImportError as error:
            raise ImportError("this needs the package swiftsimio, version 12 or newer: pip install swiftsimio") from error
        return swiftsimio.load(self.hdfstream(), mask=mask)

    @property
    def filename(self) -> str:
        """Its name, as an open file of h5py or hdfstream has it."""
        return f"/{self.path}"

    @property
    def attrs(self) -> Any:
        """The attributes of the file's root."""
        return self.hdfstream().attrs

    def keys(self) -> Any:
        """The members of the file's root."""
        return self.hdfstream().keys()

    def get(self, path: str, getlink: bool = False) -> Any:
        """An object in the file, or with `getlink` a link, as h5py's files give it."""
        return self.hdfstream().get(path, getlink=getlink)

    def visititems(self, visit: Any) -> Any:
        """Calls `visit(name, object)` for all that is in the file."""
        return self.hdfstream().visititems(visit)
