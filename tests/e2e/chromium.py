"""Debian's Chromium, headless, driven by Playwright: pages that note what no page may do."""

import contextlib
import os
import subprocess
import urllib.parse

from playwright.sync_api import sync_playwright

from conftest import REPOSITORY

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


def executable():
    done = subprocess.run([REPOSITORY / "scripts" / "chromium"], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


@contextlib.contextmanager
def browser():
    """A browser; software draws WebGL."""
    arguments = ["--enable-unsafe-swiftshader", "--disable-dev-shm-usage"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=executable(), args=arguments)
        try:
            yield launched
        finally:
            launched.close()


class Visit:
    """A tab of its own at a server. `complaints` collects errors in the console, faults of scripts, violations of the policy, and requests to
    other hosts."""

    def __init__(self, browser, url, *, is_phone=False, theme="dark"):
        self.url = url
        self.complaints = []
        self.context = browser.new_context(
            viewport=PHONE if is_phone else DESKTOP, is_mobile=is_phone, has_touch=is_phone, color_scheme=theme, accept_downloads=True,
            reduced_motion="reduce", permissions=["clipboard-read", "clipboard-write"],
        )  # fmt: skip
        self.context.set_default_timeout(60_000)
        self.page = self.context.new_page()
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"fault: {error}"))
        self.page.on("request", self._asked)

    def _heard(self, message):
        # A busy server asks to come again, and the page does.
        if message.type == "error" and "status of 503" not in message.text:
            self.complaints.append(f"console: {message.text} ({message.location.get('url')})")

    def _asked(self, request):
        address = urllib.parse.urlsplit(request.url)
        if address.scheme not in ("blob", "data") and f"{address.scheme}://{address.netloc}/" != "/".join(self.url.split("/")[:3]) + "/":
            self.complaints.append(f"another host: {request.url}")

    def open(self, path):
        self.page.goto(urllib.parse.urljoin(self.url, path))
        self.page.wait_for_load_state("networkidle")
        return self.page

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.context.close()
        if kind is None:
            assert not self.complaints, self.complaints
