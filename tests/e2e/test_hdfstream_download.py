"""/hdfstream/download: files as they are, folders as tars whose names begin at the root, and the client's RemoteFile.open()."""

import io
import subprocess
import tarfile

import hdfstream
import pytest

from apus_server import Server

LONG = "long/" + "n" * 150 + "/" + "m" * 120 + ".txt"
CONTENTS = {
    "README": "Grüße, ☀\n".encode() * 1000,
    "notes.yml": b"a: 1\n",
    "a.bin": bytes(range(256)) * 5000,
    "inner/exactly_two_units": b"x" * 1024,
    "inner/empty": b"",
    "größe/σ_8 ☀.txt": b"unicode",
    LONG: b"behind a long name",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("download")
    for name, content in CONTENTS.items():
        path = folder / "sims" / "L25" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folder / "sims/L25/closed").mkdir()
    (folder / "sims/L25/closed/secret.txt").write_text("not for others")
    return folder


@pytest.fixture(scope="module")
def server(folder, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    (home / "apus.toml").write_text(f'[[mounts]]\nname = "data"\npath = "{folder}"\nfolders = [{{ path = "sims/L25/closed", roles = ["core"] }}]\n')
    with Server({}, home, ("--config", home / "apus.toml")) as server:
        yield server


@pytest.fixture(scope="module")
def http(server):
    with server.session() as session:
        yield session


@pytest.mark.parametrize(("path", "name"), [("data/sims/L25", "data_sims_L25.tar"), ("data/sims/L25/", "data_sims_L25.tar"), ("data", "data.tar"), ("data/sims/L25/inner", "data_sims_L25_inner.tar")])
def test_a_folder_is_a_tar_whose_names_begin_at_the_root(http, path, name):
    answer = http.get(f"hdfstream/download/{path}")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/x-tar"
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert len(answer.content) % 10240 == 0
    assert f'filename="{name}"' in answer.headers["Content-Disposition"]
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
        files = {member.name: tar.extractfile(member).read() for member in tar}
    path = path.rstrip("/")
    everything = {f"data/sims/L25/{name}": content for name, content in CONTENTS.items()}
    assert files == {name: content for name, content in everything.items() if name.startswith(path + "/")}
    head = http.head(f"hdfstream/download/{path}")
    assert (head.content, head.headers["Content-Length"]) == (b"", answer.headers["Content-Length"])


@pytest.mark.parametrize("name", ["inner", "größe", "long"])
def test_tars_of_all_sizes_have_the_length_that_was_announced(http, folder, name):
    # Every number of units that a tar can end with.
    for size in (0, 1, 511, *range(512, 11_265, 512), 513, 100_000):
        (folder / "sims/L25" / name / "sized").write_bytes(b"y" * size)
        answer = http.get(f"hdfstream/download/data/sims/L25/{name}")
        assert len(answer.content) == int(answer.headers["Content-Length"]), size
        assert len(answer.content) % 10240 == 0
        with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
            assert tar.getmember(f"data/sims/L25/{name}/sized").size == size
    (folder / "sims/L25" / name / "sized").unlink()


def test_gnu_tar_unpacks_it(http, folder, tmp_path):
    tar = http.get("hdfstream/download/data/sims").content
    subprocess.run(["tar", "-x"], input=tar, cwd=tmp_path, check=True)
    unpacked = {str(p.relative_to(tmp_path)): p for p in tmp_path.rglob("*") if p.is_file()}
    assert {name: p.read_bytes() for name, p in unpacked.items()} == {f"data/sims/L25/{name}": content for name, content in CONTENTS.items()}
    for name in CONTENTS:
        assert int(unpacked[f"data/sims/L25/{name}"].stat().st_mtime) == int((folder / "sims/L25" / name).stat().st_mtime)


def test_a_file_beyond_eight_gibibytes_has_its_length_in_both_forms(http, folder):
    """Only the head is read: the file is a hole."""
    path = folder / "sims/big/hole"
    path.parent.mkdir()
    with open(path, "wb") as f:
        f.truncate((8 << 30) + 5)
    with http.get("hdfstream/download/data/sims/big", stream=True) as answer:
        n_bytes = int(answer.headers["Content-Length"])
        assert n_bytes % 10240 == 0 and 0 < n_bytes - (8 << 30) <= 512 * 5 + 10240 + 1024
        head = answer.raw.read(4096)
    member = tarfile.open(fileobj=io.BytesIO(head)).next()
    assert (member.name, member.size, member.pax_headers["size"]) == ("data/sims/big/hole", (8 << 30) + 5, str((8 << 30) + 5))
    path.unlink()
    path.parent.rmdir()


def test_the_root_is_none(http):
    for path in ("hdfstream/download", "hdfstream/download/"):
        assert http.get(path).status_code == http.head(path).status_code == 400
        assert http.get(path, auth=("nobody", "wrong")).status_code == 401


@pytest.mark.parametrize("path", ["nowhere", "data/nowhere", "data/sims/L25/closed", "data/sims/L25/closed/secret.txt"])
def test_what_is_not_there_is_404(http, path):
    assert http.get(f"hdfstream/download/{path}").status_code == 404
    assert http.get(f"hdfstream/download/{path}", auth=("nobody", "wrong")).status_code == 401


def test_a_file_as_it_is(http):
    answer = http.get("hdfstream/download/data/sims/L25/a.bin")
    assert answer.content == CONTENTS["a.bin"]
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="a.bin"')
    part = http.get("hdfstream/download/data/sims/L25/a.bin", headers={"Range": "bytes=100-199", "If-Range": answer.headers["ETag"]})
    assert (part.status_code, part.content) == (206, CONTENTS["a.bin"][100:200])


BIN = CONTENTS["a.bin"]


@pytest.mark.parametrize(
    ("asked", "first", "end"),
    [("bytes=0-9", 0, 10), ("bytes=1000-", 1000, len(BIN)), ("bytes=-7", len(BIN) - 7, len(BIN)), ("bytes=5-99999999999", 5, len(BIN)), (f"bytes=-{len(BIN) + 1}", 0, len(BIN))],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_download_goes_on_where_it_broke_off(http, method, asked, first, end):
    part = http.request(method, "hdfstream/download/data/sims/L25/a.bin", headers={"Range": asked})
    assert (part.status_code, part.headers["Content-Range"]) == (206, f"bytes {first}-{end - 1}/{len(BIN)}")
    assert int(part.headers["Content-Length"]) == end - first
    assert part.content == (BIN[first:end] if method == "GET" else b"")


def test_ranges_and_states_of_a_download(http):
    url = "hdfstream/download/data/sims/L25/a.bin"
    tag = http.get(url).headers["ETag"]
    for outside in (f"bytes={len(BIN)}-", "bytes=-0"):
        refused = http.get(url, headers={"Range": outside})
        assert (refused.status_code, refused.headers["Content-Range"]) == (416, f"bytes */{len(BIN)}")
    for as_good_as_none in ({"Range": "bytes=5-2"}, {"Range": "bytes=0-1,5-6"}, {"Range": "bytes=0-9", "If-Range": '"another"'}, {"Range": "lines=0-9"}):
        assert http.get(url, headers=as_good_as_none).content == BIN
    known = http.get(url, headers={"If-None-Match": tag})
    assert (known.status_code, known.content, known.headers["ETag"]) == (304, b"", tag)
    assert http.get(url, headers={"If-Match": '"another"'}).status_code == 412
    tar = http.get("hdfstream/download/data/sims/L25/inner")
    assert http.get("hdfstream/download/data/sims/L25/inner", headers={"If-None-Match": tar.headers["ETag"]}).status_code == 304


def test_the_client_opens_files_as_text_and_as_bytes(server):
    root = hdfstream.open(f"{server.url}hdfstream", "data/sims/L25")
    for name in ("README", "notes.yml", "größe/σ_8 ☀.txt"):
        text = CONTENTS[name].decode()
        assert root[name].open().read() == text
        assert root[name].open("r").readlines() == text.splitlines(keepends=True)
        assert root[name].open("rb").read() == CONTENTS[name]
    with root["a.bin"].open("rb") as f:
        assert f.read(10) == CONTENTS["a.bin"][:10]
        assert f.read() == CONTENTS["a.bin"][10:]
    with pytest.raises(Exception, match="404"):
        hdfstream.RemoteFile(root.connection, "data/nowhere").open()
