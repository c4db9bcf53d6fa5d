"""Logins that another service decides (DB_URL)."""

import base64
import http.server
import threading

import pytest
import requests

from accounts import SECRET, add_user, bearer, command, jwt_of
from apus_server import Server
from conftest import TEST_DATA

USERS = {"alice": "wonder", "bob": "builder", "jürgen": "größe"}


class LoginService(http.server.BaseHTTPRequestHandler):
    """HTTP Basic: 200 or 401; keeps sessions as some login services do, and misbehaves by path."""

    asked = []

    def do_GET(self):
        scheme, _, credentials = self.headers.get("Authorization", "").partition(" ")
        name, _, password = base64.b64decode(credentials).decode().partition(":") if scheme == "Basic" else ("", "", "")
        good = USERS.get(name) == password or "SESSION" in self.headers.get("Cookie", "")
        LoginService.asked.append((self.path, name, self.headers.get("Cookie")))
        status = {"/broken": 500, "/moved": 302, "/created": 201, "/empty": 204}.get(self.path, 200 if good else 401)
        self.send_response(status)
        self.send_header("Set-Cookie", "SESSION=of-somebody; Path=/")
        if status == 302:
            self.send_header("Location", "/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def service():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), LoginService) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def apus(service, tmp_path):
    with Server({"": TEST_DATA}, tmp_path, (), {"DB_URL": service + "/", "JWT_SECRET_KEY": SECRET, "APUS_LOG": "trace"}) as server:
        yield server


def log_in(url, name, password):
    return requests.post(f"{url}token", json={"username": name, "password": password}, timeout=60).status_code


def test_the_other_service_decides(apus):
    assert log_in(apus.url, "alice", "wonder") == 200
    assert log_in(apus.url, "alice", "wrong") == 401
    assert log_in(apus.url, "nobody", "wonder") == 401
    assert log_in(apus.url, "jürgen", "größe") == 200
    # A colon in a name must not shift where the password begins.
    assert log_in(apus.url, "alice:won", "der") == 401
    assert requests.get(f"{apus.url}protected/", auth=("bob", "builder"), timeout=60).json() == {"User": "bob"}
    assert requests.get(f"{apus.url}protected/", auth=("bob", "wonder"), timeout=60).status_code == 403


def test_one_users_login_is_nobody_elses(apus):
    """No cookie is kept: a session of one user would let every wrong password in."""
    LoginService.asked.clear()
    assert log_in(apus.url, "alice", "wonder") == 200
    assert log_in(apus.url, "bob", "wrong") == 401
    assert log_in(apus.url, "nobody", "") == 401
    assert len(LoginService.asked) == 3
    assert all(cookie is None for _, _, cookie in LoginService.asked)


def test_a_login_is_remembered_for_a_while_by_name_and_password(apus):
    LoginService.asked.clear()
    for _ in range(5):
        assert requests.get(f"{apus.url}protected/", auth=("alice", "wonder"), timeout=60).status_code == 200
    assert len(LoginService.asked) == 1
    assert requests.get(f"{apus.url}protected/", auth=("alice", "other"), timeout=60).status_code == 403
    assert requests.get(f"{apus.url}protected/", auth=("bob", "wonder"), timeout=60).status_code == 403
    assert len(LoginService.asked) == 3


def test_roles_come_from_the_state_file(service, tmp_path):
    config = tmp_path / "apus.toml"
    config.write_text(f'[[mounts]]\nname = "closed"\npath = "{TEST_DATA}"\nroles = ["core"]\n')
    command(tmp_path, "user", "add", "alice", "--no-password", "--role", "core")
    # A password that is kept here does not count where another service decides.
    add_user(tmp_path, "eve", "a password of ours", "core")
    with Server({}, tmp_path, ("--config", config), {"DB_URL": service + "/", "JWT_SECRET_KEY": SECRET}) as server:
        def status(name, password):
            return requests.get(f"{server.url}v1/list/closed", auth=(name, password), timeout=60).status_code

        assert (status("alice", "wonder"), status("bob", "builder"), status("eve", "a password of ours")) == (200, 404, 401)
        assert requests.get(f"{server.url}v1/list/closed", headers=bearer(jwt_of(server.url, "alice", "wonder")), timeout=60).status_code == 200


@pytest.mark.parametrize("path", ["broken", "moved", "created", "empty"])
def test_another_answer_is_no_login(service, tmp_path, path):
    with Server({"": TEST_DATA}, tmp_path, (), {"DB_URL": f"{service}/{path}", "JWT_SECRET_KEY": SECRET}) as server:
        assert log_in(server.url, "alice", "wonder") == 503


def test_the_log_holds_no_password(apus):
    log_in(apus.url, "alice", "wonder")
    log_in(apus.url, "alice", "a wrong guess")
    for secret in ("wonder", "a wrong guess", base64.b64encode(b"alice:wonder").decode(), "of-somebody"):
        assert secret not in apus.output, secret
