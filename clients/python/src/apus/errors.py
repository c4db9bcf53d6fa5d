"""What can go wrong, named by what the caller can do about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

# An error lists at most this many names.
MAX_NAMES = 30


class ApusError(Exception):
    """Everything that goes wrong.

    `status` is that of the answer, `code` the server's word for it (`not_found`, `damaged` ...); both are None where no answer came. `detail`
    is the server's text, `request_id` what its log knows the request by.
    """

    def __init__(self, detail: str, *, status: int | None = None, code: str | None = None, request_id: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status
        self.code = code
        self.request_id = request_id


class BadRequest(ApusError, ValueError):
    """The request does not fit the file, or is not understood; the text says where. Raised before it is sent where that can be told."""


class TooLarge(BadRequest):
    """The answer would be larger than the server gives; the text has the numbers."""


class Unauthorized(ApusError):
    """The credentials are missing or wrong."""


class NotFound(ApusError, LookupError):
    """There is no such file, object or field, or not for this user."""


class Unreadable(ApusError):
    """The file is damaged, no HDF5, or of a kind that the server does not read."""


class Busy(ApusError):
    """The server has no place, also after waiting. `retry_after_s` is when it wants to be asked again."""

    def __init__(self, detail: str, *, retry_after_s: float = 1.0, **known: Any) -> None:
        super().__init__(detail, **known)
        self.retry_after_s = retry_after_s


class ServerFailed(ApusError):
    """The server's own fault; its log tells more under `request_id`."""


class Unreachable(ApusError, ConnectionError):
    """No server answers at the address."""


class Broken(ApusError, ConnectionError):
    """An answer ended early, or is not what it says it is; no part of it is returned. With `can_resume`, what came is the beginning of the whole."""

    def __init__(self, detail: str, *, can_resume: bool = False, **known: Any) -> None:
        super().__init__(detail, **known)
        self.can_resume = can_resume


_BY_STATUS: dict[int, type[ApusError]] = {
    401: Unauthorized, 403: Unauthorized, 404: NotFound, 413: TooLarge, 422: Unreadable, 429: Busy, 503: Busy,
}  # fmt: skip


def of_answer(status: int, headers: Any, problem: Any) -> ApusError:
    """The exception for an answer with that status, whose body was the JSON `problem` (RFC 9457), or None where it was none."""
    told = problem if isinstance(problem, dict) else {}
    kind = _BY_STATUS.get(status, BadRequest if status < 500 else ServerFailed)
    code, request_id = told.get("code"), headers.get("X-Request-Id")
    detail = str(told.get("detail") or told.get("title") or f"the server answers {status}")
    if kind is ServerFailed and request_id:
        detail = f"{detail} (request {request_id})"
    if kind is Busy:
        return Busy(detail, retry_after_s=_seconds(headers.get("Retry-After")), status=status, code=code, request_id=request_id)
    return kind(detail, status=status, code=code, request_id=request_id)


def missing(where: str, what: str, name: str, known: Iterable[str], *, folder: str = "", like: ApusError | None = None) -> NotFound:
    """The error for a name that does not exist, with the nearest that does, or with those that do.

    Names are shown behind `folder`. `like` is the server's own error, if it answered with one.
    """
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        hint = f"did you mean {folder + near[0]!r}?"
    else:
        rest = f" and {len(known) - MAX_NAMES} more" if len(known) > MAX_NAMES else ""
        hint = f"there are {', '.join(known[:MAX_NAMES]) or 'none'}{rest}"
    answered: dict[str, Any] = {} if like is None else {"status": like.status, "code": like.code, "request_id": like.request_id}
    return NotFound(f"{where}: no {what} {folder + name!r}; {hint}", **answered)


def _seconds(text: str | None) -> float:
    try:
        return min(max(float(text or 1.0), 0.0), 86400.0)
    except ValueError:
        # A date: servers behind a proxy may say one. Soon is as good.
        return 5.0
