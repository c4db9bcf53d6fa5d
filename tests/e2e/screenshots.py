"""Pictures of every view of the page on the demo: `scripts/screenshots`."""

import sys
import tempfile

from playwright.sync_api import expect

from apus_server import Server
from chromium import Visit, browser
from conftest import REPOSITORY

FOLDER = REPOSITORY / "docs" / "screenshots"
SNAPSHOT = "cosmic_web_0002.hdf5"
VIEWS = {
    "catalogue": "",
    "file": f"file/{SNAPSHOT}?type=gas&field=temperatures",
    "explore": f"explore/{SNAPSHOT}?sphere=22.1,25.5,27.4,3&at=24,26,2.25",
    "ask": f"ask/{SNAPSHOT}?fields=gas.densities,gas.temperatures&where=temperatures > 1e5 K&sample=0.05&limit=1000",
    "points": f"points/{SNAPSHOT}",
    "raw": f"raw/{SNAPSHOT}",
    "login": "login",
}
# The whole page, but for views that fill the window.
WHOLE = {"file", "ask"}


def main(wanted):
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home, Server({}, home, command="demo") as server, browser() as launched:
        for name, address in VIEWS.items():
            if wanted and name not in wanted:
                continue
            for is_phone in (False, True):
                for theme in ("dark", "light"):
                    with Visit(launched, server.url, is_phone=is_phone, theme=theme) as visit:
                        page = visit.open(address)
                        expect(page.locator(".skeleton")).to_have_count(0, timeout=60_000)
                        page.wait_for_load_state("networkidle")
                        file = FOLDER / f"{name}-{'phone' if is_phone else 'desktop'}-{theme}.jpg"
                        page.screenshot(path=file, type="jpeg", quality=72, full_page=name in WHOLE or (is_phone and name not in {"points", "raw"}))
                        print(f"{file.relative_to(REPOSITORY)} {file.stat().st_size // 1000} kB", *visit.complaints, flush=True)
                        visit.complaints.clear()


main(sys.argv[1:])
