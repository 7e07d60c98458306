"""Downloads from a server of the test's own, which Keras takes for the real one."""

import threading
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from core.background import Work
from core.data.data_config import DataConfig
from core.data.dataset_files import UnreadableFile
from core.data.datasets import load_test
from core.data.downloading import DOWNLOADED, download_of
from core.data.downloads import Counted, download
from core.workspace import Workspace
from tests.core.data.test_datasets import archive, arrays_for

Eventually = Callable[[Callable[[], object]], object]
HELD_BACK = 1000


@dataclass
class Server:
    """What it sends, by the last part of the address, and how it goes about it.

    held: the last HELD_BACK bytes of each file wait for `go_on`.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    held: bool = False
    go_on: threading.Event = field(default_factory=threading.Event)
    port: int = 0


@pytest.fixture
def server() -> Iterator[Server]:
    told = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rpartition("/")[2]
            if name in told.moved:
                self.send_response(302)
                self.send_header("Location", told.moved[name])
                self.end_headers()
                return
            content = told.files[name]
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[:-HELD_BACK])
            self.wfile.flush()
            if told.held:
                told.go_on.wait(60)
            self.wfile.write(content[-HELD_BACK:])

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        told.port = listening.server_port
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield told
        told.go_on.set()
        listening.shutdown()


def fetch(server: Server, name: str) -> list[tuple[str, int, int]]:
    """What is told while a file is fetched as Keras does it."""
    seen: list[tuple[str, int, int]] = []
    opener = urllib.request.build_opener(Counted(lambda *told: seen.append(told)))
    with opener.open(f"http://127.0.0.1:{server.port}/some/where/{name}") as response:
        while response.read(4000):
            pass
    return seen


def test_it_is_told_how_many_bytes_of_how_many_have_come(server: Server) -> None:
    server.files["images.gz"] = bytes(10_000)
    seen = fetch(server, "images.gz")
    assert {(phase, total) for phase, _, total in seen} == {("downloading images.gz", 10_000)}
    counts = [done for _, done, _ in seen]
    assert counts == sorted(counts)
    assert counts[-1] == 10_000


def test_what_a_redirection_leads_to_is_counted_once(server: Server) -> None:
    server.files["moved.gz"] = bytes(10_000)
    server.moved["images.gz"] = "/elsewhere/moved.gz"
    seen = fetch(server, "images.gz")
    assert seen[-1] == ("downloading moved.gz", 10_000, 10_000)
    assert sum(done == 10_000 for _, done, _ in seen) <= 2  # the last piece, and that no more comes


def test_a_download_that_is_cancelled_leaves_nothing_half_done(
    server: Server,
    workspace: Workspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    eventually: Eventually,
) -> None:
    server.files["train-labels-idx1-ubyte.gz"] = bytes(30_000)
    server.held = True
    monkeypatch.setenv("STAND_IN_PORT", str(server.port))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1] / "stand_in_server"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    downloading = download_of("fashion_mnist", workspace)
    downloading.begin()
    downloading.begin()  # a second click starts no other

    def work() -> Work:
        work = downloading.work()
        assert work is not None
        assert not work.failure, work.failure
        return work

    eventually(lambda: work().phase == "downloading train-labels-idx1-ubyte.gz" and work().done)
    assert 0 < work().done < work().total == len(server.files["train-labels-idx1-ubyte.gz"])
    process = work().process
    downloading.cancel()
    assert not process.is_alive()
    assert downloading.work() is None
    assert not downloading.there
    assert not list((tmp_path / "keras" / "datasets" / "fashion-mnist").iterdir())


def test_an_archive_that_was_put_there_by_hand_is_taken(workspace: Workspace) -> None:
    arrays = arrays_for((32, 32, 3), 10)
    workspace.datasets.mkdir(parents=True)
    archive(workspace.datasets / "cifar-10-binary.tar.gz", "cifar10", arrays)
    downloading = download_of("cifar10", workspace)
    download("cifar10", downloading.file)
    assert downloading.there
    loaded = load_test(DataConfig(name="cifar10"), workspace=workspace)
    np.testing.assert_array_equal(loaded.images, arrays["x_test"])
    np.testing.assert_array_equal(loaded.labels, arrays["y_test"])


def test_an_archive_that_is_something_else_is_named(workspace: Workspace) -> None:
    workspace.datasets.mkdir(parents=True)
    (workspace.datasets / "cifar-100-binary.tar.gz").write_bytes(b"nothing of the kind")
    with pytest.raises(UnreadableFile, match=r"cifar-100-binary\.tar\.gz lies there, but it"):
        download("cifar100", download_of("cifar100", workspace).file)


@pytest.mark.parametrize("name", DOWNLOADED)
def test_a_failure_says_what_to_fetch_and_where_to_put_it(name: str, workspace: Workspace) -> None:
    failure = download_of(name, workspace).failure("refused\nby the   network")
    assert "could not be downloaded (refused by the network). Start it again, or fetch" in failure
    assert f"that folder is {workspace.datasets} here." in failure


def test_a_download_that_is_done_is_not_begun_again(workspace: Workspace) -> None:
    downloading = download_of("cifar10", workspace)
    workspace.datasets.mkdir(parents=True)
    downloading.file.write_bytes(b"it is there")
    downloading.begin()
    assert downloading.work() is None
