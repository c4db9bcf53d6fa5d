"""A server: what it has, and files from it."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from . import errors
from .file import File
from .npy import Array, read_array
from .quantity import Kind, resolve
from .rows import Rows, row_ranges
from .saving import save
from .stream import Stream
from .transport import Transport

# Up to so many ranges of rows travel in the address, where caches see them; more in a body.
MAX_RANGES_IN_ADDRESS = 50


@dataclass(frozen=True)
class Entry:
    """A file or folder of a listing. `size_bytes` and `modified_s` (since 1970) are None for folders and where they are not known."""

    name: str
    kind: str
    size_bytes: int | None = None
    modified_s: int | None = None

    @property
    def is_folder(self) -> bool:
        return self.kind == "folder"


def connect(
    url: str,
    user: str | None = None,
    password: str | None = None,
    token: str | None = None,
    *,
    arrays: Kind = "auto",
    progress: bool | None = None,
) -> Connection:
    """A connection to the server at that address, with an account or a token where it asks for one.

    `arrays` is what values come as: `swiftsimio` (cosmo_array), `unyt`, `astropy` or `numpy`; `auto` takes the first of them that is installed.
    `progress` shows a bar on transfers: on long ones where somebody looks (None), always (True), never (False); it needs tqdm.
    Nothing is sent before something is asked for.
    """
    resolve(arrays)
    return Connection(Transport(url, user, password, token), arrays, progress)


class Connection:
    """A server. Made by `connect`; a context that closes its sockets, if that matters."""

    def __init__(self, transport: Transport, arrays: Kind, progress: bool | None) -> None:
        self._transport = transport
        self.arrays = arrays
        self.progress = progress

    @property
    def url(self) -> str:
        """The address, without credentials."""
        return self._transport.url

    def list(self, path: str = "") -> list[Entry]:
        """What is in a folder, sorted by name."""
        listing = self._transport.get_json("/v1/list/", path)
        known = ("name", "kind", "size_bytes", "modified_s")
        return [Entry(**{name: entry[name] for name in known if name in entry}) for entry in listing["entries"]]

    def open(self, path: str) -> File:
        """A file: what it is, what it holds, and its values as they are asked for.

        Errors: `NotFound`, `Unreadable`.
        """
        return File(self, path.strip("/"), self._transport.get_json("/v1/info/", path))

    def object(self, path: str, object: str = "/") -> dict[str, Any]:
        """One HDF5 object of a file as it stands there: attributes, members or type, shape and storage (see the server's docs/rest.md)."""
        described: dict[str, Any] = self._transport.get_json("/v1/object/", path, {"object": object})
        return described

    def data(self, path: str, object: str, rows: Rows = None, columns: int | Iterable[int] | None = None) -> Array:
        """The values of a dataset of a file, as stored: a plain array with the file's own numbers.

        `rows` are a slice, a pair `(a, b)`, or several of either, half-open, in any order; `columns` an index (its axis goes away) or several.
        They come straight into the array, which is allocated once; a connection that breaks is made anew and goes on.

        Errors: `NotFound`; `BadRequest` for what does not fit the dataset; `Broken`.
        """
        ranges = row_ranges(rows, lambda: self._n_rows(path, object))
        taken = columns if columns is None or isinstance(columns, int) else [int(column) for column in columns]
        asked: dict[str, Any] = {"object": object}
        if ranges is not None:
            asked["rows"] = ranges
        if taken is not None:
            asked["columns"] = taken
        params, body = None, None
        # A list of one column, and no rows at all, can be said in a body only.
        is_plain = not isinstance(taken, list) or len(taken) > 1
        if is_plain and (ranges is None or 0 < len(ranges) <= MAX_RANGES_IN_ADDRESS):
            params = {"object": object}
            if ranges is not None:
                params["rows"] = ",".join(f"{start}:{end}" for start, end in ranges)
            if taken is not None:
                params["columns"] = str(taken) if isinstance(taken, int) else ",".join(map(str, taken))
        else:
            body = asked
        with Stream(self._transport, "/v1/data/", path, params=params, body=body, progress=self.progress) as stream:
            array = read_array(stream)
            stream.finish()
        return array

    def download(self, path: str, target: str | os.PathLike[str] | None = None, *, overwrite: bool = False) -> pathlib.Path:
        """Copies a file, or a folder as a tar, to `target`: a file's name or a folder; where it is missing, under its own name to here.

        Until it is whole it lies beside, as NAME.part; when the same download is asked for again, also by another process, it goes on from
        there, unless the file has changed. Returns where it is.

        Errors: FileExistsError, unless `overwrite`; `NotFound`; `Broken`.
        """
        place = pathlib.Path(target) if target is not None else pathlib.Path()
        name = path.strip("/").rsplit("/", 1)[-1] or "files"
        into_folder = place.is_dir()

        def final(stream: Stream) -> pathlib.Path:
            is_tar = stream.headers.get("Content-Type") == "application/x-tar"
            return place / (f"{name}.tar" if is_tar else name) if into_folder else place

        def ask(position: int, tag: str | None) -> Stream:
            return Stream(self._transport, "/v1/download/", path, position=position, tag=tag, progress=self.progress)

        return save(ask, place / name if into_folder else place, final, overwrite=overwrite)

    def _n_rows(self, path: str, object: str) -> int:
        shape = self.object(path, object).get("shape")
        if not shape:
            raise errors.BadRequest(f"{object} has no rows")
        return int(shape[0])

    def close(self) -> None:
        """Closes the sockets."""
        self._transport.session.close()

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<apus.Connection {self.url}>"
