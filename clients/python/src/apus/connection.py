"""Connecting to a server."""

from __future__ import annotations

from typing import Any

from . import errors
from .file import File
from .quantity import Kind, resolve
from .server import Server
from .transport import Transport


def connect(
    url: str,
    user: str | None = None,
    password: str | None = None,
    token: str | None = None,
    *,
    arrays: Kind = "auto",
    progress: bool | None = None,
) -> Connection:
    """A connection to the server at that address, with an account or a token if it requires one.

    `arrays` is the type of values: `swiftsimio` (cosmo_array), `unyt`, `astropy` or `numpy`; `auto` takes the first of them that is installed.
    `progress` shows a bar on transfers: on long ones in a terminal or notebook (None), always (True), never (False); it needs tqdm.

    Errors: `Unreachable` if no Apus server answers there.
    """
    resolve(arrays)
    connection = Connection(Transport(url, user, password, token), arrays, progress)
    connection._check()
    return connection


class Connection(Server):
    """A server, as `connect` returns it; a context that closes its sockets, if that matters."""

    def open(self, path: str) -> File:
        """A file: its kind and contents, and its values when they are used.

        Errors: `NotFound`, which names the nearest file; `Unreadable`.
        """
        return File(self, path.strip("/"), self._info(path))

    def _check(self) -> None:
        """Errors: `Unreachable` unless an Apus server answers."""
        try:
            answer = self._transport.get_json("/ping", "")
        except (errors.NotFound, errors.BadRequest, errors.Broken):
            answer = None
        if not isinstance(answer, dict) or answer.get("ping") != "pong":
            raise errors.Unreachable(
                f"{self.url} answers, but not as an Apus server does (tried {self.url}/ping): is the port right, and any path before /v1?"
            )

    def close(self) -> None:
        """Closes the sockets."""
        self._transport.session.close()

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<apus.Connection {self.url}>"
