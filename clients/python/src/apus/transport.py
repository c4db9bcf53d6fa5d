"""Requests to one server: addresses, credentials, waiting where it is busy, errors as exceptions."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import requests
import requests.auth
import urllib3

from . import errors

# How often a busy server is asked again, and how often in a row a broken transfer is resumed without receiving a byte.
RETRIES = 4
# The longest that a busy server is waited for at once; where it wants more, the caller is told.
MAX_WAIT_S = 60.0
# Seconds to connect, and seconds without a single byte.
TIMEOUT_S = (20.0, 300.0)
# The most bytes of an answer that is read whole.
MAX_WHOLE_BYTES = 256 << 20


class BearerAuth(requests.auth.AuthBase):
    """A token. As a class, so that no `.netrc` replaces the header and no redirect takes it to another host."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Transport:
    """A server, and how to ask it."""

    def __init__(self, url: str, user: str | None, password: str | None, token: str | None, retries: int = RETRIES) -> None:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no address: give one like https://host:8000")
        # Credentials in the address would show in every error.
        user = user if user is not None else (unquote(parts.username) if parts.username else None)
        password = password if password is not None else (unquote(parts.password) if parts.password else None)
        if token is not None and user is not None:
            raise ValueError("give a token, or a user and a password, not both")
        if (user is None) != (password is None):
            raise ValueError("a user needs a password, and a password a user")
        self.url = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))
        self.retries = retries
        # As a name and a secret: a token is a password without a name.
        self.credentials: tuple[str, str | None] = ("", token) if user is None else (user, password)
        self.session = requests.Session()
        self.session.headers["User-Agent"] = "apus-python"
        if token is not None:
            self.session.auth = BearerAuth(token)
        elif user is not None and password is not None:
            self.session.auth = requests.auth.HTTPBasicAuth(user.encode(), password.encode())

    def send(
        self,
        route: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """The answer to GET (or, with a body, POST) of that path, its head read and its body still to come.

        Errors: those of `errors`, where the status is not 2xx. A busy server is asked again when it wants to be, a few times.
        """
        method = "GET" if body is None else "POST"
        url = f"{self.url}{route}{quote(path.strip('/'), safe='/')}"
        tries_left = self.retries
        while True:
            try:
                answer = self.session.request(method, url, params=params, json=body, headers=headers, stream=True, timeout=TIMEOUT_S)
            except requests.exceptions.RequestException as error:
                raise errors.Unreachable(
                    f"no server answers at {self.url} (tried {method} {url}): {reason(error)}; check that it is running and that host and port are right"
                ) from error
            if answer.status_code < 300:
                return answer
            fault = errors.of_answer(answer.status_code, answer.headers, _problem(answer))
            if not isinstance(fault, errors.Busy) or tries_left <= 0 or fault.retry_after_s > MAX_WAIT_S:
                raise fault
            tries_left -= 1
            time.sleep(fault.retry_after_s)

    def get_json(self, route: str, path: str, params: Mapping[str, str] | None = None) -> Any:
        """The JSON that a GET gives."""
        return self._json(route, path, params, None)

    def post_json(self, route: str, path: str, body: Mapping[str, Any]) -> Any:
        """The JSON that a POST gives."""
        return self._json(route, path, None, body)

    def _json(self, route: str, path: str, params: Mapping[str, str] | None, body: Mapping[str, Any] | None) -> Any:
        with self.send(route, path, params=params, body=body) as answer:
            try:
                return json.loads(read_whole(answer))
            except ValueError as error:
                raise errors.Broken(f"{self.url}{route}{path}: the answer is no JSON; is this an Apus server?") from error


def read_whole(answer: requests.Response, limit: int = MAX_WHOLE_BYTES) -> bytes:
    """The body of an answer that is small."""
    try:
        body = answer.raw.read(limit + 1, decode_content=True)
        while len(body) <= limit and (more := answer.raw.read(limit + 1 - len(body), decode_content=True)):
            body += more
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise errors.Broken(f"the answer ended early: {reason(error)}") from error
    if len(body) > limit:
        raise errors.Broken(f"the answer has more than {limit} bytes")
    return bytes(body)


def _problem(answer: requests.Response) -> Any:
    try:
        with answer:
            return json.loads(read_whole(answer, 1 << 20))
    except (ValueError, errors.Broken):
        return None


def reason(error: BaseException) -> str:
    """The innermost cause, whose text is the shortest and says most."""
    while True:
        inner = error.__cause__ or error.__context__ or next((a for a in error.args if isinstance(a, BaseException)), None)
        inner = getattr(error, "reason", None) if isinstance(getattr(error, "reason", None), BaseException) else inner
        if inner is None or inner is error:
            return f"{type(error).__name__}: {error}"
        error = inner
