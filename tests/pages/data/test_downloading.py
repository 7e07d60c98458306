"""Downloading a built-in dataset on Data."""

import time
from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from core.background import Work
from core.data.downloading import download_of
from core.processes import this_process
from core.workspace import Workspace
from tests.core.data.test_datasets import archive, arrays_for

OpenPage = Callable[..., AppTest]
DATA = "pages/1_Data.py"


def plain(text: str) -> str:
    return text.replace("\\", "")


def test_what_a_download_is_and_how_large_is_told_before_it_begins(open_page: OpenPage) -> None:
    at = open_page(DATA, dataset="cifar100")
    (offer,) = [info.value for info in at.info if "not on this machine" in info.value]
    assert "60,000 images of 32 × 32 pixels in 100 classes" in offer
    assert "fetches 161 MiB and keeps 176 MiB" in offer
    assert "Krizhevsky, 2009" in plain(offer)
    assert at.button(key="download_cifar100").label == "Download CIFAR\\-100 photographs"


def test_how_far_a_download_is_is_told_in_bytes(open_page: OpenPage, workspace: Workspace) -> None:
    downloading = download_of("cifar10", workspace)
    downloading.folder.mkdir(parents=True)
    work = Work(process=this_process(), phase="downloading x.gz", done=2**20, total=2**22, left=9)
    downloading.tell(work)
    at = open_page(DATA, dataset="cifar10")
    (bar,) = at.get("progress")
    said = "Downloading x.gz, 1.0 MiB of 4.0 MiB · 9.0 s left of this file"
    assert (plain(bar.proto.text), bar.proto.value) == (said, 25)
    downloading.tell(work.model_copy(update={"ended": True}))  # so that no test ends itself
    at.button(key="cancel_download_cifar10").click().run()
    assert not at.get("progress")
    assert downloading.work() is None


def test_a_failed_download_says_what_to_do_and_can_be_started_again(
    open_page: OpenPage, workspace: Workspace
) -> None:
    beside = workspace.datasets / "cifar-10-binary.tar.gz"
    workspace.datasets.mkdir(parents=True)
    beside.write_bytes(b"nothing of the kind")
    at = open_page(DATA, dataset="cifar10")
    at.button(key="download_cifar10").click().run()
    until(lambda: not download_of("cifar10", workspace).at_work())
    at.run()
    assert "could not be downloaded" in at.error[0].value
    assert str(workspace.datasets) in plain(at.error[0].value)
    archive(beside, "cifar10", arrays_for((32, 32, 3), 10))
    assert at.button(key="download_cifar10").label == "Start again"
    download_of("cifar10", workspace).begin()
    until(lambda: download_of("cifar10", workspace).there)
    at = open_page(DATA, dataset="cifar10")
    assert at.metric
    assert not at.error
    assert not at.exception


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 200
    while not condition() and time.monotonic() < end:
        time.sleep(0.1)
