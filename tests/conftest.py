"""What tests of several modules start from: workspaces, runs with made-up predictions, MNIST."""

import gc
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
import pytest
from filelock import FileLock
from hypothesis import settings
from numpy.typing import NDArray

from core.assets import verified
from core.imported.dataset import PARTS, ImportedDataset
from core.imported.library import Library
from core.imported.report import ImportReport, Span
from core.imported.writing import Batch, DatasetWriter
from core.processes import ProcessIdentity
from core.registry import preflight
from core.registry.config import RunConfig
from core.registry.environment import Environment
from core.registry.predictions import write_epoch, write_truth
from core.registry.recipes import RECIPES
from core.registry.run import Run
from core.registry.run_files import WAITING_OR_WORKING
from core.registry.runs import Runs
from core.registry.settings import change
from core.training.costs import DryRun
from core.training.engine import LocalEngine
from core.workspace import PROJECT, Workspace
from tests.core.estimated import dry_run_of

# How long an example takes says nothing on a machine that does other work as well.
settings.register_profile("unhurried", settings.default, deadline=None)
settings.load_profile("unhurried")


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors, as tests wait for processes a third of their time."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) + 1
    return (os.cpu_count() or 1) + 1


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Show why a test that was tried once more had failed before."""
    for report in terminalreporter.stats.get("rerun", ()):
        terminalreporter.section(f"tried once more: {report.nodeid}")
        terminalreporter.line(report.longreprtext)


Value = TypeVar("Value")
Eventually = Callable[[Callable[[], Value]], Value]
MakeRun = Callable[..., Run]
ImportPictures = Callable[..., ImportedDataset]
Pixels = NDArray[np.uint8]
CLASSES = 10
STAND_IN = Path(__file__).parent / "core" / "stand_in"
"""For PYTHONPATH: workers then count steps instead of training."""
PATIENCE = 200
"""Seconds after which what a test waits for will not happen any more."""
TRAINED: dict[str, tuple[str, dict[str, Any]]] = {
    "cnn": ("cnn-digits", {"train_images": 600, "test_images": 200}),
    "vgg16": ("vgg16-digits", {"train_images": 100, "test_images": 50, "side": 32}),
}


@pytest.fixture(scope="session")
def components_known() -> None:
    """For tests that run pages: what components are installed is found out once.

    Each AppTest reads what all installed packages say of themselves, nine tenths of its first run.
    """
    from streamlit.components.v2 import manifest_scanner

    found = manifest_scanner.scan_component_manifests()
    manifest_scanner.scan_component_manifests = lambda max_workers=None: found


@pytest.fixture(scope="module")
def little_to_collect() -> Iterator[None]:
    """For files of tests that run pages: what was made before is left out of collecting garbage.

    Streamlit has all garbage collected after every run of a page, which takes long where tests
    before have loaded TensorFlow into the same process; so has statsmodels.
    """
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def told_dry_runs(monkeypatch: pytest.MonkeyPatch) -> DryRun:
    """For tests of what is made of estimates: what every dry run finds, in no time."""
    found = dry_run_of()
    monkeypatch.setenv("PYTHONPATH", str(STAND_IN.with_name("stand_in_dry_run")))
    monkeypatch.setenv("STAND_IN_DRY_RUN", found.model_dump_json())
    return found


def wait_until(condition: Callable[[], Value]) -> Value:
    """What `condition` returns once that is true."""
    deadline = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
    return value


def at_last(found: Callable[[], list[str]]) -> list[str]:
    """What is found wrong, once that is nothing or has not become nothing in a minute."""
    deadline = time.monotonic() + PATIENCE / 4
    while (wrong := found()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return wrong


@pytest.fixture(scope="session")
def eventually() -> Eventually[Any]:
    """A function that waits until a condition holds."""
    return wait_until


@pytest.fixture(scope="session")
def trained_workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Two networks, trained as a page does it: a runner was started for each. Not to be changed.

    All processes that run tests share what the first of them to ask trained.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    workspace = Workspace(folder / "trained")
    with FileLock(folder / "trained.lock"):
        if not workspace.root.exists():
            _train_two(workspace)
    return workspace


def _train_two(workspace: Workspace) -> None:
    runs, engine = Runs(workspace), LocalEngine(workspace)
    for name, (recipe, chosen) in TRAINED.items():
        config = change(RECIPES[recipe].config, chosen | {"precision": "float32"})
        engine.submit(runs.create(preflight.settle(config, runs), name))
    wait_until(lambda: all(run.status not in WAITING_OR_WORKING for run in runs.all()))


@pytest.fixture(scope="session")
def cnn_run(trained_workspace: Workspace) -> Run:
    """A finished run of the CNN on 600 images."""
    return Runs(trained_workspace).find("cnn")


@pytest.fixture(scope="session")
def vgg16_run(trained_workspace: Workspace) -> Run:
    """A finished run of VGG16 on 100 images of 32 pixels."""
    return Runs(trained_workspace).find("vgg16")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty workspace."""
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def runs(workspace: Workspace) -> Runs:
    """The runs of an empty workspace."""
    return Runs(workspace)


@pytest.fixture
def config() -> RunConfig:
    """A configuration to make runs of."""
    return RECIPES["cnn-digits"].config


@pytest.fixture
def make_run(runs: Runs, config: RunConfig) -> MakeRun:
    """A function that makes a finished run which took each test image for a given class.

    `epochs` holds the classes after further epochs; the first, `classes`, is the best.
    """

    def make(
        classes: Sequence[int] = (7, 2, 1, 0),
        labels: Sequence[int] = (7, 2, 1, 0),
        *epochs: Sequence[int],
        name: str | None = None,
        fingerprint: str = "one test split",
    ) -> Run:
        run = runs.create(config, name)
        truth = np.array(labels, np.int64)
        write_truth(run.folder.predictions, truth, np.arange(len(truth)), fingerprint)
        for epoch, guessed in enumerate((classes, *epochs), start=1):
            write_epoch(run.folder.predictions, epoch, probabilities_of(guessed))
        accuracy = float(np.mean(np.equal(classes, labels)))
        return run.write_state(
            status="finished",
            epoch=1 + len(epochs),
            epochs_done=1 + len(epochs),
            best_epoch=1,
            test_fingerprint=fingerprint,
            metrics={"test_accuracy": accuracy, "test_loss": 0.5},
        )

    return make


@pytest.fixture(scope="session")
def make_environment() -> Callable[..., Environment]:
    """A function that makes what a run was trained on, as told but for what is changed."""

    def make(**changes: Any) -> Environment:
        told = {
            "began": datetime(2026, 11, 22, 10, 15, tzinfo=UTC),
            "host": "workbench",
            "system": "Debian GNU/Linux 12 (bookworm), Linux 6.1.0 x86_64",
            "processor": "AMD EPYC 9354",
            "cores": 2,
            "memory": 16 * 2**30,
            "python": "3.11.7",
            "libraries": {"tensorflow": "2.21.0", "keras": "3.15.1"},
            "version": "0.8.0",
            "revision": "0123456789ab",
        }
        return Environment(**told | changes)

    return make


def probabilities_of(classes: Sequence[int]) -> NDArray[np.float16]:
    """0.91 for the class of each image and 0.01 for every other, (count, 10)."""
    probabilities = np.full((len(classes), CLASSES), 0.01, np.float16)
    probabilities[np.arange(len(classes)), classes] = 0.91
    return probabilities


@pytest.fixture
def other_process() -> Iterator[tuple[subprocess.Popen[str], ProcessIdentity]]:
    """A living process that is not ours, with its identity as it sees it itself."""
    script = (
        "import sys; from core.processes import this_process;"
        "print(this_process().model_dump_json(), flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process:
        yield process, ProcessIdentity.model_validate_json(process.stdout.readline())
        process.kill()


@pytest.fixture(scope="session")
def mnist() -> dict[str, NDArray[np.uint8]]:
    """The arrays of the bundled MNIST file."""
    with np.load(verified("mnist.npz"), allow_pickle=False) as arrays:
        return dict(arrays)


@pytest.fixture
def import_pictures(workspace: Workspace) -> ImportPictures:
    """A function that makes an imported dataset of dark and of light pictures.

    counts: how many of each class each part has. alike: all of one size, so that pixels are kept;
    else files are. The others are arguments of `DatasetWriter.finish`.
    """

    def import_(
        name: str = "shades",
        counts: dict[str, int] | None = None,
        *,
        alike: bool = False,
        grey: bool = False,
        size: int = 12,
        seed: int = 0,
        **settings: Any,
    ) -> ImportedDataset:
        random, rows = np.random.default_rng(seed), []
        for part, count in (counts or {"train": 10, "test": 6}).items():
            rows += [(part, label) for label in range(2) for _ in range(count)]
        pictures = [
            _shaded(random, label, size if alike else size + place % 7, grey)
            for place, (_, label) in enumerate(rows)
        ]
        files = [_png(picture) for picture in pictures]
        batch = Batch(
            names=[f"{part}/{label}/{place}.png" for place, (part, label) in enumerate(rows)],
            labels=np.array([-1 if part == "unlabelled" else label for part, label in rows]),
            parts=np.array([PARTS.index(part) for part, _ in rows], np.uint8),
            digests=_digests([repr(each.shape).encode() + each.tobytes() for each in pictures]),
            pictures=pictures,
            files=files,
            thumbnails=files,
        )
        told = {"class_names": ("dark", "light"), "kind": "class folders", "source": "/pictures"}
        with DatasetWriter(Library(workspace), name) as writer:
            writer.add(batch)
            return writer.finish(_report_of(pictures), **told | settings)

    return import_


def _shaded(random: np.random.Generator, label: int, side: int, grey: bool) -> Pixels:
    """A picture of noise, dark (0) or light (1); a grey one has no third dimension."""
    shape = (side, side) if grey else (side, side, 3)
    return random.integers(140 * label, 140 * label + 110, shape, np.uint8)


def _png(picture: Pixels) -> bytes:
    in_order = picture if picture.ndim == 2 else picture[..., ::-1]
    content: bytes = cv2.imencode(".png", in_order)[1].tobytes()
    return content


def _digests(contents: Sequence[bytes]) -> Pixels:
    digests = b"".join(hashlib.sha256(content).digest() for content in contents)
    return np.frombuffer(digests, np.uint8).reshape(-1, 32)


def _report_of(pictures: Sequence[Pixels]) -> ImportReport:
    sides = sorted(len(picture) for picture in pictures)
    span = Span(smallest=sides[0], usual=sides[len(sides) // 2], largest=sides[-1])
    grey = sum(picture.ndim == 2 for picture in pictures)
    counts = {"found": len(pictures), "imported": len(pictures)}
    return ImportReport(**counts, images={}, widths=span, heights=span, grey=grey)
