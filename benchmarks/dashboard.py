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
from typing import TYPE_CHECKING, Any

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


class Session:
    """What a browser asks of a server, in Streamlit's own messages; nothing is drawn.

    live: the parts of the page shown last that ask to be drawn anew by themselves.
    """

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._page_hash = self._query = ""
        self.live: list[str] = []

    def rerun(self, page: str, query: str = "") -> float:
        """Show a page, named as in its address; seconds from asking to the end of its script."""
        self.live.clear()
        self._query = query
        return self._ask(page_name="" if self._page_hash else page)

    def tick(self, fragment: str) -> float:
        """Draw one part of the page anew; seconds from asking to its end."""
        return self._ask(fragment_id=fragment, is_auto_rerun=True)

    def _ask(self, **question: Any) -> float:
        from streamlit.proto.BackMsg_pb2 import BackMsg
        from streamlit.proto.ClientState_pb2 import ClientState
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        place = {"query_string": self._query, "page_script_hash": self._page_hash}
        message = BackMsg(rerun_script=ClientState(**place, **question)).SerializeToString()
        started = time.perf_counter()
        self._socket.send(message)
        while True:
            answer = ForwardMsg.FromString(self._socket.recv(timeout=60))
            kind = answer.WhichOneof("type")
            if kind == "navigation":
                self._page_hash = answer.navigation.page_script_hash
            if kind == "auto_rerun":
                self.live.append(answer.auto_rerun.fragment_id)
            if kind == "session_event":
                raise Failed("the page broke off")
            if kind == "script_finished" and answer.script_finished in _AT_ITS_END:
                return time.perf_counter() - started


_AT_ITS_END = (0, 3)
"""How Streamlit says that a whole script, or a part of it, ran to its end."""


@contextmanager
def session(running: Server) -> Iterator[Session]:
    """A session with a server, without a browser."""
    from websockets.sync.client import connect

    address = running.url("_stcore/stream").replace("http", "ws", 1)
    with connect(address, subprotocols=["streamlit"], max_size=None) as socket:  # type: ignore
        yield Session(socket)


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
