"""Answers into files: under another name until they are complete, resumed where an earlier transfer stopped."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable

from . import errors
from .stream import Stream


def save(
    ask: Callable[[int, str | None], Stream], name: pathlib.Path, final: Callable[[Stream], pathlib.Path], *, overwrite: bool
) -> pathlib.Path:
    """Writes what `ask(position, tag)` gives to the place that `final` says, and returns that.

    Until it is whole it lies at `name` with .part behind it; beside that, in .part.etag, which state of what it is.

    Errors: FileExistsError, unless `overwrite`; those of the transfer.
    """
    part = name.with_name(name.name + ".part")
    memo = part.with_name(part.name + ".etag")
    position, tag = _known_part(part, memo)
    try:
        stream = ask(position, tag)
    except errors.BadRequest as error:
        # Nothing follows what is there: whole, but never given its name. It is cheaper to begin again than to be wrong.
        if error.status != 416:
            raise
        stream = ask(0, None)
    with stream:
        place = final(stream)
        if place.exists() and not overwrite:
            raise FileExistsError(f"{place} is there already; overwrite=True replaces it")
        if stream.tag is None:
            memo.unlink(missing_ok=True)
        else:
            memo.write_text(stream.tag)
        try:
            with open(part, "r+b" if stream.position else "wb") as out:
                out.truncate(stream.position)
                out.seek(stream.position)
                while block := stream.read():
                    out.write(block)
        except errors.Broken as error:
            if not error.can_resume:
                raise
            raise errors.Broken(
                f"{error.detail}; the first {stream.position} bytes are in {part}: repeat to go on from there", can_resume=True
            ) from error
    os.replace(part, place)
    memo.unlink(missing_ok=True)
    return place


def _known_part(part: pathlib.Path, memo: pathlib.Path) -> tuple[int, str | None]:
    try:
        return part.stat().st_size, memo.read_text() or None
    except OSError:
        return 0, None
