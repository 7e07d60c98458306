"""A real server on a port of its own, with its own workspace, and Chromium to visit it."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Page,
    TimeoutError,
    expect,
    sync_playwright,
)
from playwright.sync_api import Error as PlaywrightError

from core.data.image_tags import read_remarks
from core.processes import ProcessIdentity
from core.registry.predictions import write_epoch, write_truth
from core.registry.recipes import RECIPES
from core.registry.run import Run
from core.registry.run_files import Failure
from core.registry.runs import Runs
from core.training.metrics import append_event
from core.workspace import ENVIRONMENT_VARIABLE, PROJECT, Workspace
from tests.conftest import wait_until

PATIENCE = 120_000
"""Milliseconds to wait for what a page does by itself; a busy machine takes its time."""
TRAINED = 240_000
"""Milliseconds to wait for a training."""
LOG = "server.log"
SCREENSHOTS = "SCREENSHOTS"
"""The environment variable that names a folder for pictures of pages on which a test failed."""
HEADER, ROW = 17, 35
"""Pixels from the top of the table of runs to the middle of its titles, and from row to row."""
SHOWN = 3_000
"""Characters of a page's text and of each log that are shown where a test failed: the last."""

expect.set_options(timeout=PATIENCE)
QUIET = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
)
HARMLESS = re.compile(r"/[^/]+/_stcore/(health|host-config)$")
"""Streamlit asks for these on every page but the first, before it finds its server's root."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this folder, and skip it where there is no browser."""
    skip = pytest.mark.skip(reason="CHROMIUM names no browser; `./run test` looks for one")
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker("browser")
            if not os.environ.get("CHROMIUM"):
                item.add_marker(skip)


@dataclass
class Server:
    """A running Streamlit server and what it shows."""

    url: str
    workspace: Workspace
    process: psutil.Process

    def mapped_tensorflow(self) -> list[int]:
        """Ids of the server's processes that have TensorFlow's library loaded."""
        family = [self.process, *self.process.children(recursive=True)]
        return [process.pid for process in family if _maps_tensorflow(process.pid)]

    def forget_tensorflow(self) -> None:
        """End the processes that have it loaded; who needs them starts them again."""
        for pid in self.mapped_tensorflow():
            psutil.Process(pid).kill()
        wait_until(lambda: not self.mapped_tensorflow())

    def empty(self) -> None:
        """End what goes on in the workspace and remove all that is in it."""
        self._remove(each for each in self.workspace.root.iterdir() if each.name != LOG)

    def parts(self) -> set[Path]:
        """What the workspace holds in its folders: runs, datasets, caches."""
        return set(self.workspace.root.glob("*/*"))

    def go_back_to(self, parts: set[Path]) -> None:
        """End what goes on in the workspace and remove what has come to these parts."""
        if added := self.parts() - parts:
            self._remove(added)

    def _remove(self, paths: Iterable[Path]) -> None:
        _end(_family(self))
        for path in paths:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def restart(self) -> None:
        """End the server, and no training, and start another at the same address."""
        _end([self.process])
        self.process = psutil.Process(_start(self.workspace, int(self.url.rpartition(":")[2])).pid)
        _wait_until_healthy(self)


def _maps_tensorflow(pid: int) -> bool:
    try:
        return "libtensorflow" in Path(f"/proc/{pid}/maps").read_text(errors="replace")
    except OSError:
        return False  # it ended


@contextmanager
def serving(workspace: Workspace, script: str = "app.py") -> Iterator[Server]:
    """Run a server until the block ends, and with it every process that came of it."""
    workspace.root.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    server = Server(
        f"http://127.0.0.1:{port}", workspace, psutil.Process(_start(workspace, port, script).pid)
    )
    try:
        _wait_until_healthy(server)
        yield server
    finally:
        _end([server.process, *_family(server)])


def _end(processes: list[psutil.Process]) -> None:
    """End processes: at their leave first, then at once."""
    for end in (psutil.Process.terminate, psutil.Process.kill):
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                end(process)
        deadline = time.monotonic() + 10
        while any(_lives(process) for process in processes) and time.monotonic() < deadline:
            time.sleep(0.05)


def _lives(process: psutil.Process) -> bool:
    """Whether it still runs; what its parent has not waited for does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _start(workspace: Workspace, port: int, script: str = "app.py") -> "subprocess.Popen[bytes]":
    options = ["--server.headless", "true", "--server.port", str(port)]
    with (workspace.root / LOG).open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", script, *options],
            cwd=PROJECT,
            env=os.environ | {ENVIRONMENT_VARIABLE: str(workspace.root)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def _family(server: Server) -> list[psutil.Process]:
    """The server's children, and the runner and worker of its workspace, which outlive it."""
    own = server.process.children(recursive=True) if server.process.is_running() else []
    detached = [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(str(server.workspace.root) in word for word in process.info["cmdline"] or ())
    ]
    return [*own, *(process for process in detached if process not in own)]


def _wait_until_healthy(server: Server) -> None:
    log = server.workspace.root / LOG
    for _ in range(300):
        if not _lives(server.process):
            raise RuntimeError(f"the server ended: {log.read_text()}")
        try:
            with urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"the server does not answer: {log.read_text()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(Workspace(tmp_path_factory.mktemp("workspace"))) as running:
        yield running


@pytest.fixture(scope="module")
def server(_server: Server) -> Iterator[Server]:
    """A server whose workspace is empty at first; what a file's tests leave there is removed."""
    yield _server
    _server.empty()


_AT_FIRST = pytest.StashKey[set[Path]]()


@pytest.fixture(autouse=True)
def _as_at_first(request: pytest.FixtureRequest) -> None:
    """A test that is tried once more finds the server's workspace as it did at first."""
    if "server" in request.fixturenames:
        server: Server = request.getfixturevalue("server")
        server.go_back_to(request.node.stash.setdefault(_AT_FIRST, server.parts()))


@pytest.fixture(scope="session")
def populated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose workspace holds three networks and what can go wrong: nothing trains there."""
    workspace = Workspace(tmp_path_factory.mktemp("populated"))
    runs = Runs(workspace)
    labels = np.load(PROJECT / "assets" / "mnist.npz")["y_test"][:300].astype(np.int64)
    failure = Failure(kind="work", sentence="The disk is full.", advice="Make room on it.")
    runs.create(RECIPES["cnn-digits"].config).write_state(status="failed", error=failure)
    gone = ProcessIdentity(pid=1, started="another machine")
    interrupted = runs.create(RECIPES["vgg16-digits"].config, "<b>interrupted</b> " + 8 * "long ")
    interrupted.write_state(status="running", process=gone)
    (workspace.runs / "20260101-000000-dead").mkdir()
    make_finished(runs.create(RECIPES["cnn-digits"].config, "*third* " + 8 * "long "), labels, 40)
    for recipe, every in (("cnn-digits", (40, 60)), ("vgg16-digits", (10, 20))):
        make_finished(runs.create(RECIPES[recipe].config), labels, *every)
    with serving(workspace) as running:
        yield running


def said(workspace: Workspace) -> dict[int, tuple[str, ...]]:
    """The tags that images of MNIST were given, by their index."""
    return {r.index: r.tags for r in read_remarks(workspace, "mnist").images.values()}


def make_finished(run: Run, labels: NDArray[np.int64], *wrong_every: int) -> None:
    """A run that took every so manieth test image for the digit after its own, epoch by epoch.

    Its last epoch is the best.
    """
    write_truth(run.folder.predictions, labels, np.arange(len(labels)), "the first of MNIST")
    for epoch, every in enumerate(wrong_every, start=1):
        guessed = labels.copy()
        guessed[::every] = (guessed[::every] + 1) % 10
        probabilities = np.full((len(labels), 10), 0.01, np.float16)
        probabilities[np.arange(len(labels)), guessed] = 0.91
        write_epoch(run.folder.predictions, epoch, probabilities)
    accuracy, epochs = float(np.mean(guessed == labels)), len(wrong_every)
    metrics = {f"{part}_{name}": value for part in ("test", "val")
               for name, value in (("accuracy", accuracy), ("loss", 0.1))}  # fmt: skip
    for batch in range(1, 60):
        event = {"event": "batch", "epoch": 1, "batch": batch, "batches": 60}
        values = {"loss": 2 / batch, "accuracy": 1 - 1 / batch, "learning_rate": 1e-3}
        append_event(run.folder.metrics, event | values)
    append_event(run.folder.metrics, {"event": "epoch", "epoch": 1, **metrics})
    run.write_state(
        status="finished",
        epoch=epochs,
        epochs_done=epochs,
        best_epoch=epochs,
        seconds=42.3,
        precision="float32",
        test_fingerprint="the first of MNIST",
        metrics=metrics,
    )


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser of all tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ["CHROMIUM"], headless=True, args=[*QUIET]
        )
        yield browser
        browser.close()


@dataclass
class Visitor:
    """A person at a browser: what they open, and all that their browser asked for and said."""

    server: Server
    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE)
        self.page.context.on("request", lambda request: self.requests.append(request.url))
        self.page.on("websocket", lambda socket: self.requests.append(socket.url))
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, path: str = "") -> Page:
        """Open a page by its address and wait until it stands."""
        self.page.goto(f"{self.server.url}/{path}")
        self.settled()
        return self.page

    def settled(self) -> None:
        """Wait until the page's script has run to its end."""
        self.page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
        expect(self.page.locator("h1")).to_have_count(1)

    def go(self, name: str) -> Page:
        """Follow a link of the sidebar."""
        self.page.locator("[data-testid=stSidebar]").get_by_role("link", name=name).click()
        expect(self.page.locator("h1")).to_have_text(name)
        self.settled()
        return self.page

    def choose(self, label: str, option: str) -> None:
        """Pick from a list; a click while its section still unfolds only focuses the list."""
        name = re.compile(rf"^{re.escape(option)}( ·|$)")  # what is told of it may follow
        choices = self.page.get_by_role("option", name=name)
        for _ in range(PATIENCE // 5_000):
            if not choices.count():
                self.page.get_by_role("combobox", name=label, exact=True).click()
            with suppress(TimeoutError):
                choices.click(timeout=5_000)
                return
        raise AssertionError(f"{label} does not offer {option}")

    def listened(self) -> None:
        """Wait until the page hears the keyboard: it is drawn before its components have loaded."""
        self.page.locator("[data-listening$=keys]").wait_for(state="attached")

    def exceptions(self) -> int:
        """Tracebacks and failures that the page shows."""
        return self.page.locator("[data-testid=stException]").count()

    def sideways(self) -> int:
        """Pixels by which the page is wider than the window."""
        wider = """() => Math.max(...['html', '[data-testid=stMain]']
            .map((part) => document.querySelector(part))
            .map((element) => element.scrollWidth - element.clientWidth))"""
        return int(self.page.evaluate(wider))

    def outside(self) -> list[str]:
        """Addresses asked for that are not the server's."""
        own = (self.server.url, self.server.url.replace("http", "ws", 1), "data:", "blob:")
        return [url for url in self.requests if not url.startswith(own)]

    def seen(self) -> str:
        """What stands on the page and in the logs, to understand a failure by."""
        try:
            text = self.page.locator("body").inner_text(timeout=5_000)
            self._take_picture()
        except PlaywrightError as error:
            text = f"(The page cannot be read: {error.message})"
        shown = [f"--- {self.page.url}", text[-SHOWN:]]
        for log in sorted(self.server.workspace.root.rglob("*log*")):
            if log.suffix in (".log", ".txt") and (said := log.read_text(errors="replace")):
                shown += [f"--- {log.relative_to(self.server.workspace.root)}", said[-SHOWN:]]
        return "\n".join(shown)

    def _take_picture(self) -> None:
        if folder := os.environ.get(SCREENSHOTS):
            test = re.sub(r"\W+", "-", os.environ["PYTEST_CURRENT_TEST"].split("::")[-1])
            self.page.screenshot(path=Path(folder) / f"{test[:80]}.png", timeout=5_000)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not HARMLESS.search(message.location.get("url", "")):
            self.complaints.append(f"{message.text} ({message.location.get('url')})")


def draw(page: Page, strokes: list[tuple[tuple[int, int], ...]]) -> None:
    """Draw on the canvas of Predict as a person would, with the mouse."""
    canvas = page.locator(".upper-canvas")
    canvas.hover()  # waits until it stands still
    box = canvas.bounding_box()
    assert box is not None
    for (x, y), *rest in strokes:
        page.mouse.move(box["x"] + x, box["y"] + y)
        page.mouse.down()
        for x, y in rest:
            page.mouse.move(box["x"] + x, box["y"] + y, steps=8)
        page.mouse.up()


def tick(page: Page, row: int) -> None:
    """Tick a row of the table of runs; a click before the table was drawn is lost."""
    table = page.locator("[data-testid=stDataFrame]")
    ticked = table.locator(f"tr[aria-selected=true][aria-rowindex='{row + 1}']")
    while not ticked.count():
        table.click(position={"x": 15, "y": HEADER + row * ROW})
        with suppress(AssertionError):
            expect(ticked).to_be_attached(timeout=5_000)


Visit = Callable[..., AbstractContextManager[Visitor]]


@contextmanager
def visiting(chromium: Browser, server: Server, **options: Any) -> Iterator[Visitor]:
    """A visitor whose browser must ask nobody else and have nothing to complain of."""
    context = chromium.new_context(**{"viewport": {"width": 1440, "height": 1000}} | options)
    visitor = Visitor(server, context.new_page())
    try:
        yield visitor
        assert visitor.outside() == []
        assert visitor.complaints == []
    except BaseException as failure:  # a test that ran out of time raises no Exception
        failure.add_note(visitor.seen())
        raise
    finally:
        context.close()


@pytest.fixture
def visit(chromium: Browser) -> Visit:
    """What lets somebody visit a server for as long as a `with` block lasts."""
    return partial(visiting, chromium)
