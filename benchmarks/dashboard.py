"""The server as `./run app` starts it, and a Chromium to look at it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.record import Failed, Skipped
from core.workspace import ENVIRONMENT_VARIABLE, PROJECT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

START_SECONDS = 60.0
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass(frozen=True)
class Server:
    """A running server."""

    port: int
    process: subprocess.Popen[bytes]

    def url(self, page: str = "") -> str:
        """Address of a page."""
        return f"http://127.0.0.1:{self.port}/{page}"

    def wait(self) -> None:
        """Until it answers. Raises Failed where it ends instead."""
        deadline = time.monotonic() + START_SECONDS
        while not _answers(self.port):
            if self.process.poll() is not None:
                raise Failed("the server ended as soon as it was started")
            if time.monotonic() > deadline:
                raise Failed(f"the server did not answer within {START_SECONDS:.0f} s")
            time.sleep(0.01)


@contextmanager
def server(workspace: Path) -> Iterator[Server]:
    """Start the server on a free port; it may not answer yet."""
    port = _free_port()
    options = ["--server.port", str(port), "--server.headless", "true"]
    options += ["--server.showEmailPrompt", "false"]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", *options],
            cwd=PROJECT,
            env={**os.environ, ENVIRONMENT_VARIABLE: str(workspace)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            yield Server(port, process)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium. Raises Skipped where there is none."""
    program = find_chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, headless=True)
        try:
            yield browser
        finally:
            browser.close()


def find_chromium() -> str:
    """The browser that CHROMIUM names, else one of the usual names. Raises Skipped."""
    named = os.environ.get("CHROMIUM")
    for name in [named] if named else BROWSERS:
        found = shutil.which(name)
        if found:
            return found
    raise Skipped("no Chromium was found; install it, or name one in CHROMIUM")


def open_page(browser: Browser, server: Server, name: str) -> Page:
    """A page that was shown and has come to rest."""
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.goto(server.url(name))
    wait_until_shown(page, name or "Overview")
    return page


def wait_until_shown(page: Page, title: str) -> None:
    """Until the page's title stands there and its script has run to the end."""
    page.get_by_role("heading", name=title, exact=True).first.wait_for(timeout=60_000)
    page.wait_for_selector(
        '[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=60_000
    )


def _answers(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(0.5)
        return client.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
