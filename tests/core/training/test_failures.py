"""Whatever keeps a training from its end has a kind, a sentence, and advice that helps."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import DatasetUnavailable, DiskFull, Diverged, InvalidRequest, WorkFailed
from core.registry import preflight
from core.registry.config import RunConfig
from core.registry.recipes import RECIPES
from core.registry.run import Run
from core.registry.run_files import Failure
from core.registry.runs import Runs
from core.registry.settings import change
from core.training import failures
from core.training.metrics import lasting, read_events
from core.worker import work
from core.workspace import PROJECT, Workspace

TINY = {
    "precision": "float32",
    "train_images": 60,
    "test_images": 20,
    "batch_size": 10,
    "side": 8,
    "dense": [8],
}


def tiny(**settings: Any) -> RunConfig:
    return change(RECIPES["cnn-digits"].config, TINY | settings)


def trained(runs: Runs, run: Run) -> Run:
    """The run once a worker in this process is done with it."""
    work(run, runs.workspace)
    return runs.again(run)


def failure_of(run: Run) -> Failure:
    assert run.status == "failed"
    assert run.failure is not None
    return run.failure


# --- from an exception to a sentence ----------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "kind", "sentence", "advice"),
    [
        (DiskFull("no room for the cache"), "disk", "No room for the cache.", "Make room: "),
        (
            Diverged("the loss is no number"),
            "diverged",
            "The loss is no number.",
            "Launch it again",
        ),
        (DatasetUnavailable("it is gone."), "data", "It is gone.", "Put the data right and resume"),
        (InvalidRequest("no such file"), "request", "No such file.", "Change that setting"),
        (WorkFailed("no download"), "work", "No download.", "Mend that and resume"),
        (OSError(errno.EDQUOT, "Quota"), "disk", "The file could not be written: Quota.", "Make r"),
        (OSError(errno.EIO, "I/O", "x"), "unexpected", "Training broke off: OSError: ", "The end"),
        (ValueError("a\n  b"), "unexpected", "Training broke off: ValueError: a b", "The end of"),
        (MemoryError(), "memory", "The training ran out of memory; this ", "Launch it again with"),
    ],
)
def test_an_exception_is_told_as_a_failure(
    error: Exception, kind: str, sentence: str, advice: str
) -> None:
    failure = failures.of(error, tiny())
    assert failure.kind == kind
    assert failure.sentence.startswith(sentence)
    assert failure.advice.startswith(advice)


def test_a_file_that_cannot_be_written_is_named_with_the_room_there_is(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    found = failures.of(OSError(errno.ENOSPC, "No space left on device", str(file)), tiny())
    assert found.kind == "disk"
    assert found.sentence.startswith(f"The file {file} could not be written: No space left on dev")
    assert found.sentence.endswith(" MiB are free there).")


def test_a_file_of_the_dataset_that_cannot_be_read_is_named() -> None:
    config = tiny(**{"data.path": "/data/mnist.npz"})
    for path in ("/data/mnist.npz", "/data/mnist.npz/part"):
        found = failures.of(OSError(errno.EIO, "Input/output error", path), config)
        assert found.kind == "data"
        assert found.sentence == f"The file {path} cannot be read (Input/output error)."
    elsewhere = failures.of(OSError(errno.EIO, "Input/output error", "/data/other"), config)
    assert elsewhere.kind == "unexpected"


def test_a_training_that_took_too_much_memory_is_told_how_much_and_what_takes_less() -> None:
    found = failures.out_of_memory(tiny(batch_size=64, side=28), peak_memory=3 * 2**30)
    assert "ran out of memory, holding 3.0 GiB; this machine has " in found.sentence
    assert "a batch_size of 32 or a network.side of 20" in found.advice


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (signal.SIGKILL, "killed", "ended from outside, by signal 9"),
        (signal.SIGTERM, "killed", "ended from outside, by signal 15"),
        (signal.SIGSEGV, "unexpected", "broke down (Segmentation fault)"),
        (signal.SIGABRT, "unexpected", "broke down (Aborted)"),
    ],
)
def test_a_signal_that_ended_a_worker_is_told(number: int, kind: str, words: str) -> None:
    found = failures.ended_by(number, tiny(), 0, memory_ran_out=False)
    assert (found.kind, words in found.sentence) == (kind, True)
    assert "Resume it" in found.advice
    assert failures.ended_by(number, tiny(), 0, memory_ran_out=True).kind == "memory"


def test_a_worker_that_could_not_write_down_its_end_points_to_its_log() -> None:
    found = failures.ended_silently(1)
    assert found.kind == "unexpected"
    assert "status 1" in found.sentence
    assert "log" in found.advice


# --- memory -----------------------------------------------------------------------------------

OUT_OF_MEMORY = """
import resource, sys
from pathlib import Path
from core.training.quiet import load_tensorflow
load_tensorflow()
from core.training import training
from core.registry.run import Run
from core.worker import work
from core.workspace import Workspace
pages = int(Path("/proc/self/statm").read_text().split()[0])
most = pages * resource.getpagesize() + 2**32
resource.setrlimit(resource.RLIMIT_AS, (most, most))
run = Run.read(Path(sys.argv[1]))
work(run, Workspace(run.folder.path.parent.parent))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited as on Linux")
def test_a_training_that_runs_out_of_memory_says_so_and_what_takes_less(runs: Runs) -> None:
    run = runs.create(tiny(side=512, dense=[4096]))  # weights of 16 GiB
    subprocess.run(
        [sys.executable, "-c", OUT_OF_MEMORY, str(run.folder.path)],
        cwd=PROJECT,
        capture_output=True,
        check=True,
    )
    found = failure_of(runs.again(run))
    assert found.kind == "memory"
    assert found.sentence.startswith("The training ran out of memory, holding ")
    assert "a batch_size of 5 or a network.side of 358" in found.advice


# --- data -------------------------------------------------------------------------------------


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """An image folder of two classes, six pictures to learn from and four to be tested on."""
    for part, count in (("train", 3), ("test", 2)):
        for label, name in enumerate(("cat", "dog")):
            folder = tmp_path / "pictures" / part / name
            folder.mkdir(parents=True)
            for number in range(count):
                shade = np.full((8, 8, 3), 100 * label + number, np.uint8)
                cv2.imwrite(str(folder / f"img{number}.png"), shade)
    return tmp_path / "pictures"


@pytest.fixture
def of_pictures(runs: Runs, pictures: Path) -> Run:
    """A run that waits to be trained on them."""
    settings = {"data.name": "folder", "data.path": str(pictures), "channels": 3}
    without = {key: value for key, value in TINY.items() if not key.endswith("_images")}
    config = change(RECIPES["cnn-digits"].config, without | settings)
    return runs.create(preflight.settle(config, runs))


def test_a_folder_that_vanished_since_the_launch_is_named_and_the_run_goes_on_once_it_is_back(
    runs: Runs, of_pictures: Run, pictures: Path
) -> None:
    away = pictures.rename(pictures.with_name("away"))
    found = failure_of(trained(runs, of_pictures))
    assert found.kind == "data"
    assert f"got {pictures}, which is no folder" in found.sentence
    assert found.advice == "Put the data right and resume the run."
    away.rename(pictures)
    assert trained(runs, runs.resume(runs.again(of_pictures))).status == "finished"


def test_pictures_that_became_unreadable_since_the_launch_are_named(
    runs: Runs, of_pictures: Run, pictures: Path
) -> None:
    for path in (pictures / "train" / "dog").iterdir():
        path.write_text("no picture")
    found = failure_of(trained(runs, of_pictures))
    assert found.kind == "data"
    assert f"none that can be read in {pictures / 'train' / 'dog'}: img0.png: " in found.sentence


def test_one_picture_that_became_unreadable_is_left_out_and_named(
    runs: Runs, of_pictures: Run, pictures: Path
) -> None:
    (pictures / "train" / "cat" / "img1.png").write_text("no picture")
    run = trained(runs, of_pictures)
    assert run.status == "finished"
    (note,) = (event for event in read_events(run.folder.metrics)[0] if event["event"] == "note")
    assert note["text"].startswith("1 of 6 train pictures cannot be read and are left out: cat/img")


def test_a_dataset_file_that_was_damaged_since_the_launch_is_named(
    runs: Runs, tmp_path: Path, mnist: dict[str, NDArray[np.uint8]]
) -> None:
    file = tmp_path / "mine.npz"
    np.savez(file, allow_pickle=False, **{name: array[:100] for name, array in mnist.items()})
    run = runs.create(preflight.settle(tiny(**{"data.path": str(file)}), runs))
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    found = failure_of(trained(runs, run))
    assert found.kind == "data"
    assert str(file) in found.sentence
    file.write_bytes(whole)
    assert trained(runs, runs.resume(runs.again(run))).status == "finished"


# --- disk -------------------------------------------------------------------------------------


class Disk:
    """A file system in memory of 4 MiB, of which a chosen part is free."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._ballast = root / "ballast"

    def leave(self, size: int) -> None:
        """Take all room but `size` bytes."""
        self._ballast.write_bytes(b"")
        found = os.statvfs(self.root)
        self._ballast.write_bytes(bytes(max(0, found.f_bavail * found.f_frsize - size)))

    def make_room(self) -> None:
        self._ballast.unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A small disk, mounted where only a process of ours and its files in /proc see it."""
    (tmp_path / "disk").mkdir()
    script = f"mount -t tmpfs -o size=4m none '{tmp_path / 'disk'}' && echo mounted && cat"
    try:
        process = subprocess.Popen(
            ["unshare", "-Urm", "sh", "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
    except FileNotFoundError:
        pytest.skip("there is no unshare to mount a small disk with")
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        if process.stdout.readline() != "mounted\n":
            pytest.skip("this machine does not let a small disk be mounted")
        yield Disk(Path(f"/proc/{process.pid}/root{tmp_path / 'disk'}"))
        process.stdin.close()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of two epochs that nothing kept from its end."""
    runs = Runs(Workspace(tmp_path_factory.mktemp("undisturbed")))
    return trained(runs, runs.create(tiny(epochs=2)))


def assert_same(run: Run, undisturbed: Run) -> None:
    """Both came to the same end on the same way."""
    assert (run.status, run.failure) == ("finished", None)
    assert run.state.metrics == undisturbed.state.metrics
    epochs = [
        [
            event["epoch"]
            for event in lasting(read_events(each.folder.metrics)[0])
            if "val_loss" in event
        ]
        for each in (run, undisturbed)
    ]
    assert epochs[0] == epochs[1] == [1, 2]
    best = undisturbed.state.best_epoch
    with (
        np.load(run.folder.weights(best)) as ours,
        np.load(undisturbed.folder.weights(best)) as its,
    ):
        for name in its.files:
            np.testing.assert_array_equal(ours[name], its[name])
    assert not list(run.folder.path.rglob("*.unfinished"))


@pytest.mark.parametrize("name", ["metrics.jsonl", "predictions", "model", "checkpoint"])
def test_a_run_whose_disk_is_full_says_so_and_goes_on_once_there_is_room(
    runs: Runs, disk: Disk, undisturbed: Run, name: str
) -> None:
    run = runs.create(tiny(epochs=2))
    there = disk.root / name
    if "." not in name:
        there.mkdir()
    (run.folder.path / name).symlink_to(there)
    disk.leave(0)
    run = trained(runs, run)
    found = failure_of(run)
    assert found.kind == "disk"
    assert "could not be written: No space left on device" in found.sentence
    assert f"/{name}" in found.sentence
    assert found.advice.startswith("Make room: delete runs you do not need, or clear the cache")
    disk.make_room()
    assert_same(trained(runs, runs.resume(run)), undisturbed)


def test_a_disk_that_fills_up_again_and_again_costs_no_run_its_end(
    disk: Disk, undisturbed: Run
) -> None:
    runs = Runs(Workspace(disk.root / "workspace"))
    run, failed = runs.create(tiny(epochs=2)), []
    with runs.lock(run.id):
        pass
    for kib in (0, 8, 64, 76, 76, 420):  # the environment is written once, in the fourth try
        disk.leave(kib * 1024)
        run = trained(runs, run)
        failed.append(run.failure.sentence if run.failure else "")
        assert run.status == ("failed" if kib else "queued")  # without room even to say so
        disk.make_room()
        if kib:
            run = runs.resume(run)
    names = ("reserve", "state.json", "tensorboard", "model/epoch-1.npz", "checkpoint/step-")
    for name, sentence in zip(names, failed[1:], strict=True):
        assert f"/{name}" in sentence
    assert_same(trained(runs, run), undisturbed)


@pytest.mark.skipif(os.name == "nt", reason="limits are POSIX")
def test_a_file_that_may_not_grow_is_told_like_a_full_disk(runs: Runs, undisturbed: Run) -> None:
    import resource

    run = runs.create(tiny(epochs=2))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
    try:
        run = trained(runs, run)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    found = failure_of(run)
    assert found.kind == "disk"
    assert "epoch-1.npz could not be written: File too large" in found.sentence
    assert_same(trained(runs, runs.resume(run)), undisturbed)


# --- a training that learns nothing -----------------------------------------------------------


def notes(run: Run) -> list[str]:
    told = lasting(read_events(run.folder.metrics)[0])
    return [event["text"] for event in told if event["event"] == "note"]


@pytest.mark.parametrize(("epochs", "when"), [(1, "After 1 epoch "), (3, "After 2 epochs ")])
def test_a_network_that_only_guesses_is_told_of(runs: Runs, epochs: int, when: str) -> None:
    hasty = {"learning_rate": 10, "optimizer": "adam", "schedule": "constant", "epochs": epochs}
    run = trained(runs, runs.create(tiny(**hasty, test_images=200)))
    assert run.status == "finished"
    (note,) = notes(run)
    assert note.startswith(when)
    assert note.endswith("This network only guesses: try a learning_rate of 1, down from 10.")


def test_a_network_that_learns_is_not(runs: Runs) -> None:
    run = trained(runs, runs.create(tiny(epochs=2, train_images=500, test_images=200, side=28)))
    assert run.state.metrics["val_accuracy"] > 0.3
    assert notes(run) == []
