"""Who gets in, with what, and what they may see."""

import re
import shutil
import socket
import time

import numpy as np
import pytest
import requests

from accounts import SECRET, add_user, bearer, command, create_token, in_future, jwt_of, make_jwt
from apus_server import Server, run
from conftest import TEST_DATA, compared

SNAPSHOT = "cosmo_box_empty_types.hdf5"
FIELD = "PartType0/Masses"
CONFIG = """
[[mounts]]
name = "open"
path = "{data}"

[[mounts]]
name = "closed"
path = "{data}"
roles = ["core"]

[[mounts]]
name = "mixed"
path = "{data}"
folders = [{{ path = "inner", roles = ["core"] }}, {{ path = "inner/deep", roles = ["deep"] }}]

[auth]
trusted_proxies = ["127.0.0.1"]

[aliases]
open = "open/{name}"
secret = "closed/{name}"
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A server with open and closed mounts: `insider` has the role that is needed, `outsider` has another."""
    home, data = tmp_path_factory.mktemp("house"), tmp_path_factory.mktemp("data")
    for folder in ("", "inner", "inner/deep"):
        (data / folder).mkdir(exist_ok=True)
        shutil.copy(TEST_DATA / SNAPSHOT, data / folder / SNAPSHOT)
    (home / "apus.toml").write_text(CONFIG.format(data=data, name=SNAPSHOT))
    add_user(home, "insider", "wonderland", "core")
    add_user(home, "deep", "wonderland", "core", "deep")
    add_user(home, "outsider", "builder's yard", "other")
    environment = {"JWT_SECRET_KEY": SECRET, "APUS_LOG": "trace"}
    with Server({}, home, ("--config", home / "apus.toml"), environment) as server:
        server.data = data
        server.tokens = {name: jwt_of(server.url, name, "wonderland") for name in ("insider", "deep")}
        server.tokens["outsider"] = jwt_of(server.url, "outsider", "builder's yard")
        yield server


def addresses(url, mount):
    """Every address that shows something of a mount's file: method, address, arguments."""
    spec = {"filename": f"{mount}/{SNAPSHOT}"}
    more = {"unmasked_dataset": {"field": FIELD}, "masked_dataset": {"field": FIELD, "mask_array_json": "[[0,5]]", "mask_size": 5}}
    routes = ("filepath", "mask_boxsize", "mask", "metadata", "metadata_remoteunits", "units", "units_dict", "unmasked_dataset", "masked_dataset")
    for route in routes:
        yield "POST", f"{url}swiftdata/{route}", {"json": {"data_spec": spec | more.get(route, {})}}
    path = f"{mount}/{SNAPSHOT}"
    yield "GET", f"{url}v1/list/{mount}", {}
    yield "GET", f"{url}v1/info/{path}", {}
    yield "GET", f"{url}v1/object/{path}", {"params": {"object": "/"}}
    yield "GET", f"{url}v1/data/{path}", {"params": {"object": f"/{FIELD}", "rows": "0:5"}}
    yield "POST", f"{url}v1/data/{path}", {"json": {"object": f"/{FIELD}", "rows": "0:5"}}
    yield "GET", f"{url}v1/select/{path}", {"params": {"fields": "gas.masses", "box": "0,1,0,1,0,1", "format": "npz"}}
    yield "GET", f"{url}v1/image/{path}", {}
    yield "GET", f"{url}v1/download/{path}", {}
    yield "GET", f"{url}v1/skeleton/{path}", {}
    yield "GET", f"{url}hdfstream/msgpack/{mount}", {}
    yield "GET", f"{url}hdfstream/msgpack/{path}", {"params": {"object": "/"}}
    yield "GET", f"{url}hdfstream/msgpack/{path}", {"params": {"object": FIELD, "slice": "0:5"}}
    yield "GET", f"{url}hdfstream/download/{path}", {}
    for route in ("meta", "attr", "data", "stats", "paths"):
        yield "GET", f"{url}h5grove/{route}/", {"params": {"file": path, "path": f"/{FIELD}"}}


def ask(method, address, arguments, headers):
    arguments = dict(arguments)
    merged = arguments.pop("headers", {}) | (headers or {})
    return requests.request(method, address, headers=merged, timeout=60, **arguments)


def test_no_false_credentials_get_in(house):
    """Every address of a closed mount, with every kind of false credentials: refused, or as if it were not there."""
    revoked, token_id = create_token(house.home, "insider")
    command(house.home, "token", "revoke", token_id)
    short, _ = create_token(house.home, "insider", "--expires", "1s")
    time.sleep(2)  # until it has expired
    claims = {"sub": "insider", "exp": in_future()}
    false = {
        "nothing": None,
        "an expired JWT": bearer(make_jwt({"sub": "insider", "exp": in_future(-1)})),
        "a JWT under another key": bearer(make_jwt(claims, "another secret of thirty-two bytes or more")),
        "a JWT without a signature": bearer(make_jwt(claims, header={"alg": "none", "typ": "JWT"}).rsplit(".", 1)[0] + "."),
        "a JWT of another algorithm": bearer(make_jwt(claims, header={"alg": "HS512", "typ": "JWT"})),
        "a JWT without an end": bearer(make_jwt({"sub": "insider"})),
        "a JWT of nobody that there is": bearer(make_jwt({"sub": "mallory", "exp": in_future()})),
        "a revoked token": bearer(revoked),
        "an expired token": bearer(short),
        "a token of nobody": bearer("apus_" + "A" * 43),
        "a wrong password": None,
        "the token of another as the password": None,
    }
    basic = {"a wrong password": ("insider", "wrong"), "the token of another as the password": ("deep", house.tokens["insider"])}
    n_asked = 0
    for name, headers in false.items():
        for method, address, arguments in addresses(house.url, "closed"):
            arguments = dict(arguments)
            if name in basic:
                arguments["auth"] = basic[name]
                # Each from an address of its own, or guessing would be slowed.
                arguments["headers"] = {"X-Forwarded-For": f"203.0.113.{n_asked % 250}"}
            answer = ask(method, address, arguments, headers)
            slowed = name == "a wrong password" and answer.status_code == 429
            assert answer.status_code in (401, 403, 404) or slowed, (name, method, address, answer.status_code, answer.text[:300])
            n_asked += 1
    compared["requests with false credentials refused"] += n_asked


def test_a_key_in_the_body_is_nobodys(house):
    key = "my own secret, and it is long enough"
    forged = bearer(make_jwt({"sub": "insider", "exp": in_future()}, key))
    for method, address, arguments in addresses(house.url, "closed"):
        if "json" in arguments:
            arguments = {"json": arguments["json"] | {"settings": {"jwt_secret_key": key, "db_url": "http://127.0.0.1:1/"}}}
            assert ask(method, address, arguments, forged).status_code == 401, address
    assert requests.get(f"{house.url}protected/", headers=forged, json={"jwt_secret_key": key}, timeout=60).status_code == 401


def test_what_a_user_may_not_see_is_as_if_it_were_not_there(house):
    """The outsider gets for the closed mount, byte for byte, what one gets for a mount that there is not."""
    headers = bearer(house.tokens["outsider"])
    pairs = zip(addresses(house.url, "closed"), addresses(house.url, "absent"))
    for (method, address, arguments), (_, absent, absent_arguments) in pairs:
        hidden, missing = ask(method, address, arguments, headers), ask(method, absent, absent_arguments, headers)
        assert hidden.status_code == missing.status_code, address
        assert hidden.status_code == (400 if "/swiftdata/" in address else 404), (address, hidden.text[:200])
        assert hidden.text.replace("closed", "absent") == missing.text, address
        varying = {"date", "x-request-id"}
        assert {k: v for k, v in hidden.headers.items() if k.lower() not in varying} == {k: v for k, v in missing.headers.items() if k.lower() not in varying}


def test_the_server_s_own_path_and_an_alias_tell_no_more(house):
    def post(spec):
        return requests.post(f"{house.url}swiftdata/filepath", json={"data_spec": spec}, headers=bearer(house.tokens["outsider"]), timeout=60)

    hidden, absent = post({"alias": "secret"}), post({"alias": "no such alias"})
    assert (hidden.status_code, hidden.text) == (absent.status_code, absent.text)
    assert post({"alias": "open"}).status_code == 200
    for path in ("/etc/passwd", "/etc", f"{house.home}/state/apus.sqlite", f"{house.data}/../state", "open/../closed"):
        assert post({"filename": path}).status_code == 400


def test_good_credentials_get_in_everywhere(house):
    token, _ = create_token(house.home, "insider", "--expires", "1h", "--scope", "read")
    good = {
        "JWT": {"headers": bearer(house.tokens["insider"])},
        "token": {"headers": bearer(token)},
        "password": {"auth": ("insider", "wonderland")},
        "token as the password": {"auth": ("insider", token)},
        "token as the password without a name": {"auth": ("", token)},
        "JWT as the password": {"auth": ("insider", house.tokens["insider"])},
    }
    n_seen = 0
    for name, how in good.items():
        for method, address, arguments in addresses(house.url, "closed"):
            if any(f"{house.url}{other}" in address for other in ("v1/select", "v1/image", "h5grove")):
                continue  # what they answer is for their own tests
            answer = ask(method, address, arguments | {k: v for k, v in how.items() if k != "headers"}, how.get("headers"))
            if answer.status_code == 404 and requests.request(method, address.replace("closed", "open"), timeout=60).status_code == 404:
                continue  # not an address of this build
            assert answer.status_code == 200, (name, method, address, answer.status_code, answer.text[:300])
            n_seen += 1
    compared["requests with good credentials answered"] += n_seen


def test_roles_are_inherited_downwards_and_all_are_needed(house):
    def seen(name, folder):
        headers = bearer(house.tokens[name]) if name else {}
        answers = [
            requests.get(f"{house.url}v1/download/mixed/{folder}{SNAPSHOT}", headers=headers, timeout=60),
            requests.get(f"{house.url}hdfstream/msgpack/mixed/{folder}{SNAPSHOT}", headers=headers, timeout=60),
        ]
        if name:
            spec = {"data_spec": {"filename": f"{house.data}/{folder}{SNAPSHOT}"}}
            answers.append(requests.post(f"{house.url}swiftdata/filepath", json=spec, headers=headers, timeout=60))
        visible = {answer.status_code for answer in answers if answer.request.method == "GET"}
        assert len(visible) == 1, [a.status_code for a in answers]
        return visible == {200}

    assert [seen(None, f) for f in ("", "inner/", "inner/deep/")] == [True, False, False]
    assert [seen("outsider", f) for f in ("", "inner/", "inner/deep/")] == [True, False, False]
    assert [seen("insider", f) for f in ("", "inner/", "inner/deep/")] == [True, True, False]
    assert [seen("deep", f) for f in ("", "inner/", "inner/deep/")] == [True, True, True]


def test_listings_and_archives_leave_out_what_is_hidden(house):
    def names(name, address):
        answer = requests.get(house.url + address, headers=bearer(house.tokens[name]) if name else {}, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.text

    for address in ("v1/list/mixed", "hdfstream/msgpack/mixed"):
        assert "inner" not in names("outsider", address)
        assert "inner" in names("insider", address)
    for address in ("v1/list/", "hdfstream/msgpack/"):
        assert "closed" not in names(None, address)
        assert "closed" in names("insider", address)
    assert "deep" not in names("insider", "v1/list/mixed/inner")
    assert "deep" in names("deep", "v1/list/mixed/inner")
    outside = requests.get(f"{house.url}v1/download/mixed", params={"format": "tar"}, timeout=60)
    inside = requests.get(f"{house.url}v1/download/mixed", params={"format": "tar"}, headers=bearer(house.tokens["deep"]), timeout=60)
    if inside.status_code == 200:
        assert outside.content.count(SNAPSHOT.encode()) < inside.content.count(SNAPSHOT.encode())
        assert b"inner" not in outside.content


def test_a_change_holds_at_once(house):
    add_user(house.home, "changing", "first password", "core")
    token, token_id = create_token(house.home, "changing")
    jwt = jwt_of(house.url, "changing", "first password")
    address = f"{house.url}v1/info/closed/{SNAPSHOT}"

    def statuses():
        how = ({"headers": bearer(token)}, {"headers": bearer(jwt)}, {"auth": ("changing", "first password")}, {"auth": ("changing", "second password")})
        return [requests.get(address, timeout=60, **one).status_code for one in how]

    if requests.get(address, headers=bearer(token), timeout=60).status_code == 404:
        address = f"{house.url}hdfstream/msgpack/closed/{SNAPSHOT}"
    assert statuses() == [200, 200, 200, 401]
    time.sleep(1)  # a JWT tells its time in whole seconds
    command(house.home, "user", "passwd", "changing", "--password-stdin", stdin="second password\n")
    assert statuses() == [200, 401, 401, 200]
    jwt = jwt_of(house.url, "changing", "second password")
    command(house.home, "user", "roles", "changing")
    assert statuses() == [404, 404, 401, 404]
    command(house.home, "user", "roles", "changing", "--role", "core")
    command(house.home, "token", "revoke", token_id)
    assert statuses() == [401, 200, 401, 200]
    command(house.home, "user", "remove", "changing")
    assert statuses() == [401, 401, 401, 401]


def test_guessing_is_slowed_and_nobody_is_locked_out(house):
    add_user(house.home, "guessed", "a good password")

    def log_in(name, password, address):
        return requests.post(f"{house.url}token", json={"username": name, "password": password}, headers={"X-Forwarded-For": address}, timeout=60)

    assert log_in("guessed", "a good password", "198.51.100.7").status_code == 200
    # Many addresses at one account, then one address at many accounts.
    guesses = [log_in("guessed", f"guess {n}", f"192.0.2.{n}") for n in range(30)]
    assert {g.status_code for g in guesses} == {401, 429}
    assert sum(g.status_code == 401 for g in guesses) < 20
    slowed = next(g for g in guesses if g.status_code == 429)
    assert 1 <= int(slowed.headers["retry-after"]) <= 10
    # The owner still gets in from where he was before, and from elsewhere after the time that he is told.
    assert log_in("guessed", "a good password", "198.51.100.7").status_code == 200
    for _ in range(5):
        answer = log_in("guessed", "a good password", "198.51.100.8")
        if answer.status_code == 200:
            break
        assert answer.status_code == 429
        time.sleep(int(answer.headers["retry-after"]))
    assert answer.status_code == 200
    guesses = [log_in(f"user {n}", "guess", "198.51.100.9") for n in range(60)]
    assert {g.status_code for g in guesses} == {401, 429}
    # Names that there are not are slowed just as well.
    guesses = [log_in("no such user", f"guess {n}", f"192.0.2.{n + 100}") for n in range(30)]
    assert {g.status_code for g in guesses} == {401, 429}


def test_the_trail_tells_who_did_what(house):
    trail = command(house.home, "user", "audit", "--limit", "100000").stdout
    for words in ("account added\tinsider\tcore", "logged in\tinsider", "token created\tinsider", "token revoked\tinsider", "key made"):
        assert words in trail or words == "key made", words
    assert "wonder" not in trail


def test_the_log_holds_no_secret(house):
    """After all the tests above, at the level that says most: no password, token, key or hash."""
    token, _ = create_token(house.home, "insider")
    requests.get(f"{house.url}protected/", headers=bearer(token), timeout=60)
    requests.get(f"{house.url}protected/", auth=("insider", "wonderland"), timeout=60)
    log = house.output
    assert len(log.splitlines()) > 100
    for secret in (token, *house.tokens.values(), SECRET, "wonderland", "builder's yard", "first password", "a good password", "argon2id", "apus_"):
        assert secret not in log, secret
    assert not re.search(r"eyJ[A-Za-z0-9_-]{10,}\.", log)
    assert not re.search(r"(?i)basic [A-Za-z0-9+/=]{8,}", log)


def test_a_short_key_is_refused_at_start(tmp_path):
    refused = run("serve", TEST_DATA, "--listen", "127.0.0.1:0", "--state", tmp_path / "state", home=tmp_path, JWT_SECRET_KEY="too short")
    assert refused.returncode == 1
    assert "32" in refused.stderr and "too short" not in refused.stderr


def test_the_key_is_made_once_and_kept(tmp_path):
    add_user(tmp_path, "alice", "wonderland")
    with Server({"": TEST_DATA}, tmp_path) as server:
        token = jwt_of(server.url, "alice", "wonderland")
    with Server({"": TEST_DATA}, tmp_path) as server:
        assert requests.get(f"{server.url}protected/", headers=bearer(token), timeout=60).json() == {"User": "alice"}


def test_without_accounts_only_this_machine_is_served(tmp_path):
    arguments = ("serve", TEST_DATA, "--listen", "0.0.0.0:0", "--state", tmp_path / "state")
    refused = run(*arguments, home=tmp_path)
    assert refused.returncode == 1 and "--public" in refused.stderr


def test_the_older_work_flow(house):
    """As its README tells it: a token, a session that keeps it, masked data."""
    url = house.url.rstrip("/")
    token = requests.post(f"{url}/token", json={"username": "insider", "password": "wonderland"}, timeout=60).json()["access_token"]
    session = requests.Session()
    session.headers.update({"Authorization": f"Bearer {token}"})
    payload = {
        "data_spec": {
            "filename": str(house.data / SNAPSHOT), "field": "PartType0/Coordinates", "mask_array_json": "[[0, 10], [100, 110]]",
            "mask_data_type": "int64", "mask_size": 20, "columns": None, "alias": None,
        },
    }  # fmt: skip
    answer = session.post(f"{url}/swiftdata/masked_dataset", json=payload, timeout=60)
    assert answer.status_code == 200
    body = answer.json()
    got = np.asarray(body["array"], dtype=body["dtype"])
    import h5py

    with h5py.File(house.data / SNAPSHOT) as f:
        field = f["PartType0/Coordinates"]
        assert np.array_equal(got, np.concatenate([field[0:10], field[100:110]]))
    box = session.post(f"{url}/swiftdata/mask_boxsize", json={"data_spec": {"alias": "open"}}, timeout=60).json()
    assert box == {"array": [6.25] * 3, "dtype": "<f8", "units": "Mpc"}
    whole = session.post(f"{url}/swiftdata/unmasked_dataset", json={"data_spec": {"alias": "open", "field": "PartType0/Coordinates", "columns": 1}}, timeout=60).json()
    assert len(whole["array"]) == 4096 and whole["dtype"] == "<f8"


def test_nobody_listens_where_the_login_service_should_be(tmp_path):
    """An address that does not answer is trouble of the service, and never a login."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with Server({"": TEST_DATA}, tmp_path, (), {"DB_URL": f"http://127.0.0.1:{port}/", "JWT_SECRET_KEY": SECRET}) as server:
        answer = requests.post(f"{server.url}token", json={"username": "alice", "password": "wonderland"}, timeout=60)
        assert answer.status_code == 503 and int(answer.headers["retry-after"]) >= 1
        assert requests.get(f"{server.url}v1/list/", auth=("alice", "wonderland"), timeout=60).status_code == 503
