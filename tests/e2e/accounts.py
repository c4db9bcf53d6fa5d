"""Accounts and tokens for tests: made with the commands, used with requests."""

import base64
import hashlib
import hmac
import json
import subprocess
import time

import requests

from apus_server import binary, clean_environment

SECRET = "a secret of at least thirty-two bytes, for tests"


def command(home, *arguments, stdin=None, check=True):
    """Runs a command of the binary with the state of the server whose home that is."""
    home.mkdir(parents=True, exist_ok=True)
    done = subprocess.run([str(binary()), *map(str, arguments), "--state", str(home / "state")], env=clean_environment(home), cwd=home,
                          input=stdin, capture_output=True, text=True, timeout=120)  # fmt: skip
    assert not check or done.returncode == 0, done.stderr
    return done


def add_user(home, name, password, *roles):
    command(home, "user", "add", name, "--password-stdin", *(a for role in roles for a in ("--role", role)), stdin=password + "\n")


def create_token(home, name, *arguments):
    """A new API token: its text and its id."""
    done = command(home, "token", "create", "--user", name, *arguments)
    return done.stdout.strip(), done.stderr.split()[1]


def jwt_of(url, name, password):
    answer = requests.post(url + "token", json={"username": name, "password": password}, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def make_jwt(claims, secret=SECRET, header=None):
    """A JWT put together by hand, whatever is wrong with it."""
    def encode(part):
        return base64.urlsafe_b64encode(part).rstrip(b"=").decode()

    signed = encode(json.dumps(header or {"alg": "HS256", "typ": "JWT"}).encode()) + "." + encode(json.dumps(claims).encode())
    return signed + "." + encode(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest())


def in_future(seconds=900):
    return int(time.time()) + seconds
