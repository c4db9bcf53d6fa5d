"""A server: its folders, files and datasets by their paths."""

from __future__ import annotations

import contextlib
import os
import pathlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import errors
from .npy import Array, read_array
from .quantity import Kind
from .rows import Ranges, Rows, row_ranges
from .saving import save
from .stream import Stream
from .transport import Transport

# At most this many ranges of rows go into the address, where caches see them; more go into a body.
MAX_RANGES_IN_ADDRESS = 50
# At most this many go into one body (the server takes 16 MiB); more are split over several requests.
MAX_RANGES_IN_BODY = 200_000


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


class Server:
    """A server and the way to reach it; `Connection` adds opening files."""

    def __init__(self, transport: Transport, arrays: Kind, progress: bool | None) -> None:
        self._transport = transport
        self.arrays = arrays
        self.progress = progress

    @property
    def url(self) -> str:
        """The address, without credentials."""
        return self._transport.url

    def list(self, path: str = "") -> list[Entry]:
        """The contents of a folder, sorted by name."""
        with self._naming_the_nearest(path):
            listing = self._transport.get_json("/v1/list/", path)
        known = ("name", "kind", "size_bytes", "modified_s")
        return [Entry(**{name: entry[name] for name in known if name in entry}) for entry in listing["entries"]]

    def object(self, path: str, object: str = "/") -> dict[str, Any]:
        """One HDF5 object of a file as stored: attributes, members or type, shape and storage (see the server's docs/rest.md)."""
        with self._naming_the_nearest(path):
            described: dict[str, Any] = self._transport.get_json("/v1/object/", path, {"object": object})
        return described

    def data(self, path: str, object: str, rows: Rows = None, columns: int | Iterable[int] | None = None) -> Array:
        """The values of a dataset of a file, as stored: a plain array with the file's own numbers.

        `rows` are a slice, a pair `(a, b)`, or several of either, half-open, in any order; `columns` an index (its axis goes away) or several.
        They are received straight into the array, which is allocated once; a connection that breaks is opened again and continues.

        Errors: `NotFound`; `BadRequest` for what does not fit the dataset; `Broken`.
        """
        ranges = row_ranges(rows, lambda: self._n_rows(path, object))
        taken = columns if columns is None or isinstance(columns, int) else [int(column) for column in columns]
        with self._naming_the_nearest(path):
            if ranges is not None and len(ranges) > MAX_RANGES_IN_BODY:
                return self._parts(path, object, ranges, taken)
            with self._stream(path, object, ranges, taken) as stream:
                return _read(stream)

    def _parts(self, path: str, object: str, ranges: Ranges, columns: int | Sequence[int] | None) -> Array:
        """The values of more ranges than one request takes."""
        whole: Array | None = None
        n_done = 0
        for i in range(0, len(ranges), MAX_RANGES_IN_BODY):
            with self._stream(path, object, ranges[i : i + MAX_RANGES_IN_BODY], columns) as stream:
                part = _read(stream)
                if whole is None:
                    whole = np.empty((sum(end - start for start, end in ranges), *part.shape[1:]), part.dtype)
                    state = (stream.tag, stream.position - 1)
            whole[n_done : n_done + len(part)] = part
            n_done += len(part)
        assert whole is not None
        # All parts are of one state of the file if the first is still what it was: its last byte is sent alone only then.
        tag, position = state
        with self._stream(path, object, ranges[:MAX_RANGES_IN_BODY], columns, position, tag) as stream:
            if stream.position != position:
                raise errors.Broken(f"{path}: was changed while it was read; ask again")
        return whole

    def _stream(
        self, path: str, object: str, ranges: Ranges | None, columns: int | Sequence[int] | None, position: int = 0, tag: str | None = None
    ) -> Stream:
        params: dict[str, str] | None = None
        body: dict[str, Any] | None = None
        # A list of one column, and no rows at all, can be written in a body only.
        fits_address = columns is None or isinstance(columns, int) or len(columns) > 1
        if fits_address and (ranges is None or 0 < len(ranges) <= MAX_RANGES_IN_ADDRESS):
            params = {"object": object}
            if ranges is not None:
                params["rows"] = ",".join(f"{start}:{end}" for start, end in ranges)
            if columns is not None:
                params["columns"] = str(columns) if isinstance(columns, int) else ",".join(map(str, columns))
        else:
            body = {"object": object}
            body |= {} if ranges is None else {"rows": ranges}
            body |= {} if columns is None else {"columns": columns}
        return Stream(self._transport, "/v1/data/", path, params=params, body=body, position=position, tag=tag, progress=self.progress)

    def download(self, path: str, target: str | os.PathLike[str] | None = None, *, overwrite: bool = False) -> pathlib.Path:
        """Copies a file, or a folder as a tar, to `target`: a file's name or a folder; by default, under its own name into the working folder.

        Until it is complete it is kept beside that, as NAME.part. Calling the same download again, also from another process, resumes there,
        unless the file has changed. Returns its path.

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

        with self._naming_the_nearest(path):
            return save(ask, place / name if into_folder else place, final, overwrite=overwrite)

    def _info(self, path: str) -> dict[str, Any]:
        with self._naming_the_nearest(path):
            info: dict[str, Any] = self._transport.get_json("/v1/info/", path)
        return info

    def _n_rows(self, path: str, object: str) -> int:
        shape = self.object(path, object).get("shape")
        if not shape:
            raise errors.BadRequest(f"{object} has no rows")
        return int(shape[0])

    @contextlib.contextmanager
    def _naming_the_nearest(self, path: str) -> Iterator[None]:
        """Adds the nearest name of its folder to the error for a path that does not exist."""
        try:
            yield
        except errors.NotFound as error:
            raise self._with_nearest(error, path.strip("/")) from None

    def _with_nearest(self, error: errors.NotFound, path: str) -> errors.NotFound:
        if not path:
            return error
        folder, _, name = path.rpartition("/")
        try:
            entries = self._transport.get_json("/v1/list/", folder)["entries"]
        except errors.NotFound as missing_folder:
            # The folder is what does not exist; its own folder has the nearest name.
            return self._with_nearest(missing_folder, folder)
        except errors.ApusError:
            return error
        names = [entry["name"] for entry in entries]
        if name in names:
            return error  # it exists: an object in it does not
        return errors.missing(self.url, "such file or folder", name, names, folder=f"{folder}/" if folder else "", like=error)


def _read(stream: Stream) -> Array:
    """The array that is all of an answer."""
    array = read_array(stream)
    stream.finish()
    return array
