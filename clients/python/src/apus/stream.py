"""Long answers: read exactly, and resumed if the connection breaks."""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import requests
import urllib3

from . import errors
from .progress import Progress
from .transport import Transport, reason

# So many bytes are taken from the socket at once.
BLOCK_BYTES = 1 << 20
# Seconds before a broken transfer is resumed, and their growth from one fruitless attempt to the next.
FIRST_WAIT_S, WAIT_GROWTH = 0.2, 3


class Stream:
    """The bytes of one answer in order, from `position` on.

    If the server gives parts (`Accept-Ranges`) of a body with an entity tag, a connection that breaks is opened again and resumes where it
    stopped: as often as it takes while bytes arrive, a few times in a row without any. A body that has changed meanwhile is `Broken`, never a
    mixture. `size_bytes` is the length of the whole, None if the server does not know it.
    """

    def __init__(
        self,
        transport: Transport,
        route: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        position: int = 0,
        tag: str | None = None,
        progress: bool | None = None,
    ) -> None:
        self._transport = transport
        self._request = (route, path, params, body)
        self._name = path
        self._n_fruitless = 0
        self.position = position
        self.tag = tag
        self.size_bytes: int | None = None
        # Where a number, the checksum of all that is read from then on.
        self.crc32: int | None = None
        self._answer = self._open()
        self.headers = self._answer.headers
        self._progress = Progress(path.rsplit("/", 1)[-1], self.size_bytes, self.position, progress)

    def _open(self) -> requests.Response:
        """Asks for what is still to come; starts over where nothing is known to go on with."""
        route, path, params, body = self._request
        headers = {"Accept-Encoding": "identity"}
        if self.position and self.tag:
            headers |= {"Range": f"bytes={self.position}-", "If-Range": self.tag}
        answer = self._transport.send(route, path, params=params, body=body, headers=headers)
        tag, size = answer.headers.get("ETag"), answer.headers.get("Content-Length")
        if answer.status_code == 206:
            found = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", answer.headers.get("Content-Range", ""))
            if not found or int(found[1]) != self.position or tag != self.tag:
                answer.close()
                raise errors.Broken(f"{self._name}: the server goes on with another part than was asked for")
            self.size_bytes = int(found[2])
        else:
            self.position = 0
            self.size_bytes = int(size) if size is not None else None
        is_resumable = answer.headers.get("Accept-Ranges") == "bytes" and tag and not tag.startswith("W/")
        self.tag = tag if is_resumable else None
        return answer

    def _resume(self, error: BaseException) -> None:
        """After a break: opens the connection again, if that can give the same bytes."""
        self._answer.close()
        position, tag = self.position, self.tag
        size = self.size_bytes or "an unknown number of"
        while True:
            said = f"{self._name}: the answer ended early, after {position} of {size} bytes: {reason(error)}"
            if tag is None:
                raise errors.Broken(f"{said}; this one cannot be resumed, repeat it") from error
            if self._n_fruitless >= self._transport.retries:
                raise errors.Broken(f"{said}; {self._n_fruitless} attempts in a row brought nothing more", can_resume=True) from error
            time.sleep(FIRST_WAIT_S * WAIT_GROWTH**self._n_fruitless)
            self._n_fruitless += 1
            try:
                self._answer = self._open()
                break
            except (errors.Unreachable, errors.Busy, errors.ServerFailed) as failed:
                error = failed
        if self.position != position or self.tag != tag:
            self._answer.close()
            raise errors.Broken(f"{self._name}: was changed while it was transferred; ask again") from error

    def read_into(self, view: memoryview) -> None:
        """Fills the view.

        Errors: `Broken` where the body ends before.
        """
        view = view.cast("B") if view.nbytes else view
        n_done = 0
        while n_done < view.nbytes:
            block = self.read(min(BLOCK_BYTES, view.nbytes - n_done))
            if not block:
                raise errors.Broken(f"{self._name}: the answer ended early, after {self.position} bytes")
            view[n_done : n_done + len(block)] = block
            n_done += len(block)

    def read_exactly(self, n_bytes: int) -> bytes:
        """So many bytes.

        Errors: `Broken` where the body ends before.
        """
        out = bytearray(n_bytes)
        self.read_into(memoryview(out))
        return bytes(out)

    def read(self, n_bytes: int = BLOCK_BYTES) -> bytes:
        """At most so many bytes; none at the end of the body."""
        while True:
            try:
                block: bytes = self._answer.raw.read(n_bytes)
            except (urllib3.exceptions.HTTPError, OSError) as error:
                self._resume(error)
                continue
            if not block and self.size_bytes is not None and self.position < self.size_bytes:
                self._resume(EOFError("the connection was closed"))
                continue
            if block:
                self._n_fruitless = 0
            self.position += len(block)
            if self.crc32 is not None:
                self.crc32 = zlib.crc32(block, self.crc32)
            self._progress.add(len(block))
            return block

    def finish(self) -> None:
        """Makes sure that the body is over.

        Errors: `Broken` where more comes.
        """
        if self.read(1):
            raise errors.Broken(f"{self._name}: the answer is longer than it says")

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._progress.close()
        self._answer.close()
