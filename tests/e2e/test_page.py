"""The page in a real browser: what a person does with it, and what no page may do."""

import http.server
import json
import re
import shutil
import subprocess
import sys
import threading
import urllib.parse

import h5py
import numpy as np
import pytest
import requests
import swiftsimio
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from accounts import add_user, create_token
from apus_server import Server, clean_environment
from chromium import Visit, browser
from conftest import REPOSITORY, TEST_DATA

pytestmark = pytest.mark.browser

DEMO = REPOSITORY / "demo"
SNAPSHOT = "cosmic_web_0002.hdf5"
CATALOGUE = "fof_cosmic_web_0002.hdf5"
PASSWORD = "a password of alice"
# Servers under test share their machine with other tests.
expect.set_options(timeout=60_000)
VIEWS = ["", f"file/{SNAPSHOT}?type=gas&field=temperatures", f"explore/{SNAPSHOT}?sphere=22.1,25.5,27.4,2", f"ask/{SNAPSHOT}?fields=gas.*&limit=50", f"points/{SNAPSHOT}", "login"]  # fmt: skip


@pytest.fixture(scope="module")
def chromium():
    with browser() as launched:
        yield launched


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    with Server({}, tmp_path_factory.mktemp("demo"), command="demo") as server:
        yield server


@pytest.fixture
def visit(chromium, demo):
    with Visit(chromium, demo.url) as visit:
        yield visit


@pytest.fixture(scope="module")
def private(tmp_path_factory):
    """A server with a public folder, which holds a file that is no HDF5, and one for `core`, whom alice belongs to."""
    home = tmp_path_factory.mktemp("private")
    public = home / "public"
    public.mkdir()
    (public / "damaged.hdf5").write_bytes(b"this is not HDF5")
    add_user(home, "alice", PASSWORD, "core")
    configuration = home / "apus.toml"
    configuration.write_text(
        f'[[mounts]]\nname = "public"\npath = "{public}"\n\n[[mounts]]\nname = "secret"\npath = "{DEMO}"\nroles = ["core"]\n'
    )
    with Server({}, home, ["--config", configuration]) as server:
        yield server


def run_python(code, home):
    """Runs what was copied, as a user would."""
    home.mkdir(exist_ok=True)
    done = subprocess.run([sys.executable, "-c", code], env=clean_environment(home), cwd=home, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def copied(page, language):
    """What the button beside the code of that language puts on the clipboard."""
    page.get_by_role("tab", name=language, exact=True).last.click()
    page.get_by_role("button", name=f"Copy the {language} code").last.click()
    return page.evaluate("navigator.clipboard.readText()")


def test_a_file_is_found(visit):
    page = visit.open("")
    page.get_by_role("searchbox").fill("snapshot web")
    expect(page.locator(".card")).to_have_count(1)
    card = page.locator(".card")
    expect(card).to_contain_text("z = 0")
    expect(card).to_contain_text("50 Mpc")
    expect(card).to_contain_text("432,000 particles")
    expect(card).to_contain_text("8.7 MB")
    card.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(SNAPSHOT)
    assert page.url == visit.url + f"file/{SNAPSHOT}"


def test_the_code_of_a_field_fetches_it(visit, tmp_path):
    page = visit.open(f"file/{SNAPSHOT}?type=gas&field=densities")
    with h5py.File(DEMO / SNAPSHOT) as f:
        expected = f["PartType0/Densities"][()]
    check = "\nimport numpy\nnumpy.save('values.npy', numpy.asarray(densities))"
    for language in ("Python", "swiftsimio"):
        run_python(copied(page, language) + check, tmp_path / language)
        assert np.array_equal(np.load(tmp_path / language / "values.npy"), expected), language
    command = copied(page, "curl")
    subprocess.run(["bash", "-c", command], cwd=tmp_path, check=True, capture_output=True)
    assert np.array_equal(np.load(tmp_path / "cosmic_web_0002_densities.npy"), expected)


def heaviest_halo():
    with h5py.File(DEMO / CATALOGUE) as f:
        groups = f["Groups"]
        at = np.argmax(groups["Masses"][()])
        return int(groups["GroupIDs"][at]), groups["Centres"][at], float(groups["Radii"][at])


def rows_in_sphere(centre, radius):
    with h5py.File(DEMO / SNAPSHOT) as f:
        box = f["Header"].attrs["BoxSize"][0]
        distance = np.abs(f["PartType0/Coordinates"][()] - centre)
    distance = np.minimum(distance, box - distance)
    return (distance**2).sum(axis=1) <= radius**2


def test_a_halo_is_picked_and_taken_home(visit, tmp_path):
    halo, centre, radius = heaviest_halo()
    page = visit.open(f"explore/{SNAPSHOT}")
    page.get_by_role("button", name=f"Go to halo {halo}", exact=True).click()
    page.wait_for_url(re.compile("halo="))
    sphere = [float(x) for x in urllib.parse.parse_qs(urllib.parse.urlsplit(page.url).query)["sphere"][0].split(",")]
    np.testing.assert_allclose(sphere, [*centre, radius], rtol=1e-5)
    inside = rows_in_sphere(np.array(sphere[:3]), sphere[3])
    expect(page.get_by_test_id("region-rows")).to_have_text(f"{inside.sum():,}")

    with page.expect_download() as download:
        page.get_by_role("button", name="hdf5", exact=True).click()
    file = tmp_path / "halo.hdf5"
    download.value.save_as(file)
    data = swiftsimio.load(file)
    with h5py.File(DEMO / SNAPSHOT) as f:
        expected = np.sort(f["PartType0/ParticleIDs"][()][inside])
    assert np.array_equal(np.sort(np.asarray(data.gas.particle_ids)), expected)

    code = copied(page, "Python") + "\nprint('rows', len(rows.gas.particle_ids))"
    assert f"rows {len(expected)}" in run_python(code, tmp_path / "python")
    code = copied(page, "swiftsimio") + "\nprint('rows', len(data.gas.particle_ids))"
    assert f"rows {len(expected)}" in run_python(code, tmp_path / "swiftsimio")


def test_the_map_zooms_and_a_box_is_drawn(visit):
    page = visit.open(f"explore/{SNAPSHOT}")
    page.get_by_role("button", name="Zoom in").click()
    page.wait_for_url(re.compile("at="))
    at = urllib.parse.parse_qs(urllib.parse.urlsplit(page.url).query)["at"][0]
    page.get_by_role("button", name="Draw a box").click()
    place = page.get_by_test_id("map").bounding_box()
    middle = (place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    page.mouse.move(middle[0] - 100, middle[1] - 80)
    page.mouse.down()
    page.mouse.move(middle[0] + 100, middle[1] + 80, steps=5)
    page.mouse.up()
    page.wait_for_url(re.compile("box="))
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(page.url).query)
    assert query["at"][0] == at, "the map moved while a box was drawn"
    x0, x1, y0, y1, *open_sides = query["box"][0].split(",")
    assert open_sides == ["", ""]
    u, v, _ = map(float, at.split(","))
    np.testing.assert_allclose((float(x0) + float(x1)) / 2, u, rtol=2e-3)
    np.testing.assert_allclose((float(y0) + float(y1)) / 2, v, rtol=2e-3)
    np.testing.assert_allclose((float(x1) - float(x0)) / (float(y1) - float(y0)), 200 / 160, rtol=2e-2)
    with h5py.File(DEMO / SNAPSHOT) as f:
        x, y, _ = f["PartType0/Coordinates"][()].T
    expected = ((x >= float(x0)) & (x < float(x1)) & (y >= float(y0)) & (y < float(y1))).sum()
    expect(page.get_by_test_id("region-rows")).to_have_text(f"{expected:,}")


def test_a_view_is_shared_by_its_address(chromium, demo):
    address = f"explore/{SNAPSHOT}?type=dark_matter&axis=x&depth=10,20&sphere=22.1,25.5,27.4,2&at=25.5,27.4,3"
    with Visit(chromium, demo.url) as visit:
        page = visit.open(address)
        expect(page.get_by_role("combobox", name="Matter", exact=True)).to_have_value("dark_matter")
        expect(page.get_by_role("button", name="x", exact=True)).to_have_attribute("aria-pressed", "true")
        expect(page.locator(".side")).to_contain_text("Sphere of 2 Mpc about (22.1, 25.5, 27.4)")


def test_a_question_is_answered(visit):
    page = visit.open(f"ask/{SNAPSHOT}")
    fields = page.get_by_label("Fields", exact=True)
    fields.press_sequentially("gas.dens")
    fields.press("Enter")
    expect(fields).to_have_value("gas.densities")
    fields.press_sequentially(",gas.temperatures")
    condition = page.get_by_label("Where", exact=True)
    condition.fill("temperatures > 1e5 kpc")
    expect(page.get_by_role("alert")).to_contain_text("column")
    visit.complaints.clear()  # the browser notes the answer 400
    condition.fill("temperatures > 3e6 K")
    expect(page.get_by_role("status")).to_contain_text("216,000 of 216,000 are examined")
    page.get_by_label("At most this many rows").fill("500")
    page.get_by_role("button", name="Show the rows").click()
    with h5py.File(DEMO / SNAPSHOT) as f:
        temperatures = f["PartType0/Temperatures"][()]
        hot = np.flatnonzero(temperatures > np.float32(3e6))
        first = f["PartType0/Densities"][()][hot[0]]
    expect(page.get_by_test_id("n-rows")).to_contain_text(f"{min(500, len(hot))} rows")
    shown = page.locator("table.values tbody tr").first.locator("td").first.get_attribute("title")
    assert np.float32(shown) == first


def test_points_are_drawn(visit):
    page = visit.open(f"points/{SNAPSHOT}")
    expect(page.get_by_test_id("points")).to_have_attribute("data-n", "216000", timeout=120_000)
    bright = page.evaluate(
        """() => {
            const canvas = document.querySelector("canvas");
            const copy = document.createElement("canvas");
            [copy.width, copy.height] = [canvas.width, canvas.height];
            const context = copy.getContext("2d");
            context.drawImage(canvas, 0, 0);
            const { data } = context.getImageData(0, 0, copy.width, copy.height);
            let n = 0;
            for (let i = 0; i < data.length; i += 4) if (data[i] > 128) n++;
            return n;
        }"""
    )
    assert bright > 1000


def test_what_is_restricted_stays_unseen_until_one_logs_in(chromium, private):
    with Visit(chromium, private.url) as visit:
        page = visit.open("")
        expect(page.get_by_role("link", name="public")).to_be_visible()
        expect(page.get_by_text("secret")).to_have_count(0)
        # A browser notes each answer that is an error; that is none of the page's.
        page = visit.open(f"file/secret/{SNAPSHOT}")
        expect(page.get_by_role("heading", level=2)).to_contain_text("There is no file")
        unseen = page.locator("main").inner_text()
        page = visit.open("file/secret/never.hdf5")
        expect(page.get_by_role("heading", level=2)).to_contain_text("There is no file")
        assert page.locator("main").inner_text().replace("never.hdf5", SNAPSHOT) == unseen

        page = visit.open(f"file/secret/{SNAPSHOT}")
        page.get_by_label("Name", exact=True).fill("alice")
        page.get_by_label("Password").fill("another")
        page.get_by_role("button", name="Log in", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("wrong")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(SNAPSHOT)
        with page.expect_download() as download:
            page.evaluate("delete window.showSaveFilePicker")
            page.get_by_role("button", name="Download").click()
        assert download.value.path().read_bytes() == (DEMO / SNAPSHOT).read_bytes()
        page.get_by_role("link", name="Logged in as alice").click()
        page.get_by_role("button", name="Log out").click()
        page.go_back()
        expect(page.get_by_role("heading", level=2)).to_contain_text("There is no file")
        assert all("status of 40" in complaint for complaint in visit.complaints), visit.complaints
        visit.complaints.clear()


def test_a_token_logs_in(chromium, private):
    token, _ = create_token(private.home, "alice", "--expires", "1d", "--scope", "read")
    with Visit(chromium, private.url) as visit:
        page = visit.open("login")
        page.get_by_label("Password").fill(token)
        page.get_by_role("button", name="Log in", exact=True).last.click()
        expect(page.get_by_role("link", name="Logged in as alice")).to_be_visible()
        expect(page.get_by_role("link", name="secret")).to_be_visible()


def test_a_damaged_file_says_what_to_do(chromium, private):
    with Visit(chromium, private.url) as visit:
        page = visit.open("file/public/damaged.hdf5")
        expect(page.get_by_role("heading", level=2)).to_have_text("This is not an HDF5 file")
        expect(page.get_by_role("button", name="Download it as it is")).to_be_visible()
        assert all("status of 422" in complaint for complaint in visit.complaints)
        visit.complaints.clear()


def test_an_empty_server_says_what_to_do(chromium, start_server, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    with Visit(chromium, start_server({"": empty}).url) as visit:
        page = visit.open("")
        expect(page.get_by_role("heading", level=2)).to_contain_text("Nothing here is public")
        expect(page.locator("main")).to_contain_text("apus serve /path/to/snapshots")


def test_a_server_that_is_gone_is_told(chromium, start_server):
    server = start_server({"": TEST_DATA})
    with Visit(chromium, server.url) as visit:
        page = visit.open(f"ask/{next(TEST_DATA.glob('*.hdf5')).name}")
        server.__exit__(None, None, None)
        page.get_by_label("Fields", exact=True).fill("gas.coordinates")
        expect(page.get_by_role("alert")).to_contain_text("does not answer")
        visit.complaints.clear()


def test_snapshots_of_a_run_are_a_row_through_time(chromium, start_server, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    redshifts = [0.5, 3.0, 1.5]
    for number, redshift in enumerate(redshifts):
        shutil.copy(DEMO / SNAPSHOT, folder / f"box_{number:04}.hdf5")
        with h5py.File(folder / f"box_{number:04}.hdf5", "r+") as f:
            for group in (f["Header"], f["Cosmology"]):
                group.attrs["Redshift"] = [redshift]
                group.attrs["Scale-factor"] = [1 / (1 + redshift)]
    with Visit(chromium, start_server({"": folder}).url) as visit:
        page = visit.open("")
        time = page.get_by_label("Time", exact=True)
        expect(time).to_have_attribute("aria-valuetext", "z = 0.5")
        time.press("ArrowLeft")
        expect(time).to_have_attribute("aria-valuetext", "z = 1.5")
        time.press("Home")
        expect(time).to_have_attribute("aria-valuetext", "z = 3")
        page.get_by_role("region", name="Snapshots of").get_by_role("link", name="box_").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("box_0001.hdf5")


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("is_phone", [False, True], ids=["desktop", "phone"])
def test_everybody_can_use_it(chromium, demo, is_phone, theme):
    """Nothing is wider than the screen, and axe-core finds nothing serious."""
    found = {}
    with Visit(chromium, demo.url, is_phone=is_phone, theme=theme) as visit:
        for view in VIEWS:
            page = visit.open(view)
            assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"), view
            report = Axe().run(page).response["violations"]
            serious = [(one["id"], [node["target"] for node in one["nodes"]][:5]) for one in report if one["impact"] in ("serious", "critical")]
            if serious:
                found[view] = serious
    assert not found, json.dumps(found, indent=1)


def test_the_policy_is_strict(demo):
    with demo.session() as session:
        page = session.get("/", headers={"Accept": "text/html"})
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "script-src 'self';" in policy and "unsafe" not in policy
        assert not re.search(r"<script(?![^>]*\bsrc=)|\bon\w+=|<style", page.text)
        assert page.headers["Cache-Control"] == "no-cache"
        first = re.findall(r'(?:src|href)="\./(assets/[^"]+)"', page.text)
        assert first
        size = len(page.content)
        for name in first:
            answer = session.get("/" + name, stream=True)
            assert "immutable" in answer.headers["Cache-Control"]
            size += len(answer.raw.read())
            tag = answer.headers["ETag"]
            assert session.get("/" + name, headers={"If-None-Match": tag}).status_code == 304
        assert size < 300_000, "the first load is too large"


def test_raw_files_are_shown(visit):
    page = visit.open(f"raw/{SNAPSHOT}")
    page.get_by_role("treeitem", name="Cells").click()
    page.get_by_role("treeitem", name="Centres").click()
    with h5py.File(DEMO / SNAPSHOT) as f:
        shape = f["Cells/Centres"].shape
    page.get_by_role("tab", name="Inspect").click()
    expect(page.get_by_role("table").first).to_contain_text(f"{shape[0]} x {shape[1]}")


def test_the_documentation_takes_credentials(visit):
    page = visit.open("docs")
    page.get_by_role("button", name="Authorize", exact=True).click()
    page.get_by_label("Username").fill("demo")
    page.get_by_label("Password").fill("demo")
    page.locator(".auth-container").filter(has=page.get_by_label("Password")).get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close").last.click()
    operation = page.locator("#operations-native-get_info")
    operation.get_by_role("button").first.click()
    with page.expect_request(re.compile("/v1/info/")) as request:
        operation.get_by_role("button", name="Execute").click()
    assert request.value.headers["authorization"].startswith("Basic ")
    expect(operation.locator(".live-responses-table")).to_contain_text("cosmic_web_0002")


class Prefixed(http.server.BaseHTTPRequestHandler):
    """A reverse proxy that serves another server below `/simulations/`."""

    def do_GET(self):
        if not self.path.startswith("/simulations/"):
            self.send_error(404)
            return
        headers = {name: value for name, value in self.headers.items() if name.lower() in ("accept", "authorization", "range", "if-none-match")}
        answer = requests.get(self.server.target + self.path.removeprefix("/simulations/"), headers=headers | {"Accept-Encoding": "identity"}, timeout=60)
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, *_):
        pass


def test_it_works_below_a_prefix(chromium, demo):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Prefixed) as proxy:
        proxy.target = demo.url
        thread = threading.Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        try:
            with Visit(chromium, f"http://127.0.0.1:{proxy.server_port}/simulations/") as visit:
                page = visit.open("")
                page.get_by_role("link", name=SNAPSHOT, exact=True).click()
                expect(page.get_by_role("heading", level=1)).to_have_text(SNAPSHOT)
                assert page.url == visit.url + f"file/{SNAPSHOT}"
                page = visit.open(f"ask/{SNAPSHOT}?fields=gas.masses&limit=3")
                expect(page.get_by_test_id("n-rows")).to_contain_text("3 rows")
        finally:
            proxy.shutdown()
            thread.join()
