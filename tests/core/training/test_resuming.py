"""A run that is interrupted and resumed ends as if nothing had happened, to the last bit.

Most interruptions are exceptions that no code of ours catches, thrown wherever training tells
something: what is on the disk then is what SIGKILL would leave. The last test kills real processes.
"""

import contextlib
import os
import shutil
import signal
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.registry.config import RunConfig
from core.registry.predictions import stored_epochs
from core.registry.recipes import RECIPES
from core.registry.run import Run
from core.registry.run_files import WAITING_OR_WORKING, WORKING
from core.registry.runs import Runs
from core.registry.settings import change
from core.training import checkpoints, record
from core.training.engine import LocalEngine
from core.training.metrics import lasting, read_events
from core.training.progress import BatchEnd
from core.worker import work
from core.workspace import Workspace

SMALL = {
    "precision": "float32",
    "train_images": 40,
    "test_images": 20,
    "batch_size": 8,
    "side": 8,
    "dense": [8],
    "epochs": 3,
}
AUGMENTED = {"augmentation.rotation": 10.0, "augmentation.shift": 0.1}
CNN = {
    "dropout, shuffling, RMSprop, one cycle": {},
    "augmentation, Adam, plateau": AUGMENTED
    | {"optimizer": "adam", "schedule": "plateau", "decay.patience": 1, "decay.factor": 0.1},
    "SGD with momentum, exponential, early stopping": {
        "optimizer": "sgd",
        "learning_rate": 0.01,
        "momentum": 0.9,
        "nesterov": True,
        "schedule": "exponential",
        "early_stopping.patience": 2,
    },
    "AdamW, cosine with warm-up, balanced classes": {
        "optimizer": "adamw",
        "schedule": "cosine",
        "warmup_epochs": 0.5,
        "class_weights": "balanced",
        "label_smoothing": 0.1,
    },
    "steps per epoch": {"optimizer": "adagrad", "steps_per_epoch": 4, "validation_steps": 1},
    "images held back for validation": {"validation": 0.2, "test_every": 0},
}
UNLEARNED = {"side": 32, "weights": "random", "scaling": "imagenet", "epochs": 2}
MOBILENET = UNLEARNED | {"architecture": "mobilenet", "alpha": 0.25}
BACKBONES = {
    "vgg16 transfer, cached": {"side": 32, "schedule": "constant"},
    "mobilenet finetune, augmented": MOBILENET
    | {"mode": "finetune", "frozen_layers": "conv_pw_10"}
    | AUGMENTED,
    "mobilenet, two phases": MOBILENET
    | {
        "second_phase.epochs": 2,
        "second_phase.still_frozen": "block11",
        "second_phase.batch_size": 8,
    },
    "mobilenet, features": MOBILENET | {"mode": "features"},
    "resnet50, cut inside a block": UNLEARNED
    | {
        "architecture": "resnet50",
        "mode": "finetune",
        "frozen_layers": "conv5_block3_2_relu",
        "train_images": 16,
        "test_images": 10,
    },
}


class Killed(BaseException):
    """What ends a training as a signal does: nobody catches it."""


@pytest.fixture(autouse=True)
def frequent_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint after every step: a kill then loses as little as it can, and most can go wrong.

    Batches are told of one by one, so that lines can be compared.
    """
    monkeypatch.setattr(checkpoints, "WORTH", 0)
    monkeypatch.setattr(checkpoints, "WITHIN_EPOCH_SECONDS", 0.0)
    monkeypatch.setattr(record, "EVENT_SECONDS", 0.0)


def configured(recipe: str, settings: dict[str, Any]) -> RunConfig:
    return change(RECIPES[recipe].config, SMALL | settings)


def killing(monkeypatch: pytest.MonkeyPatch, moments: int) -> None:
    """Let the worker die when it tells something for the `moments`-th time."""
    told = 0
    tell = record.Record.__call__

    def dying(self: record.Record, event: Any) -> None:
        nonlocal told
        told += 1
        if told == moments:
            raise Killed
        tell(self, event)

    monkeypatch.setattr(record.Record, "__call__", dying)


def moments_of(run: Run, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> int:
    """Train a run to its end; how often it told something."""
    told = 0
    tell = record.Record.__call__

    def counting(self: record.Record, event: Any) -> None:
        nonlocal told
        told += 1
        tell(self, event)

    with monkeypatch.context() as patch:
        patch.setattr(record.Record, "__call__", counting)
        work(run, workspace)
    return told


def interrupt(run: Run, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, moment: int) -> None:
    """Train a run until it tells something for the `moment`-th time, and let it die then."""
    with monkeypatch.context() as patch:
        killing(patch, moment)
        with contextlib.suppress(Killed):
            work(run, workspace)
    # The process that runs the tests lives on, so the state must say that it died.
    now = Run.read(run.folder.path)
    if now.status in WORKING and now.state.process is not None:
        now.write_state(process=now.state.process.model_copy(update={"started": "before"}))


def train_with_kills(
    run: Run, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, moments: list[int]
) -> Run:
    """Train a run, killed and resumed once for each of some moments, counted from each start."""
    runs = Runs(workspace)
    for moment in moments:
        interrupt(run, workspace, monkeypatch, moment)
        if runs.again(run).status == "finished":
            return runs.again(run)
        run = runs.resume(runs.again(run))
    work(run, workspace)
    return runs.again(run)


def final_weights(run: Run) -> dict[str, NDArray[Any]]:
    with np.load(run.folder.weights(run.state.epochs_done)) as arrays:
        return dict(arrays)


def predictions(run: Run) -> dict[int, NDArray[Any]]:
    found = {}
    for epoch in stored_epochs(run):
        with np.load(run.folder.predictions / f"epoch-{epoch}.npz") as arrays:
            found[epoch] = arrays["probabilities"]
    return found


def told(run: Run, *kinds: str) -> list[dict[str, Any]]:
    """What the metrics say in the end, without what depends on the time of day."""
    timed = {"seconds_since_start", "seconds", "test_seconds"}
    return [
        {key: value for key, value in event.items() if key not in timed}
        for event in lasting(read_events(run.folder.metrics)[0])
        if event["event"] in kinds
    ]


def assert_same(resumed: Run, whole: Run, batches_one_by_one: bool = True) -> None:
    assert (resumed.status, whole.status) == ("finished", "finished")
    kept, wanted = final_weights(resumed), final_weights(whole)
    assert kept.keys() == wanted.keys()
    for name, array in wanted.items():
        np.testing.assert_array_equal(kept[name], array, err_msg=name)
    assert resumed.state.metrics == whole.state.metrics
    assert resumed.state.best_epoch == whole.state.best_epoch
    assert resumed.folder.kept_epochs() == whole.folder.kept_epochs()
    ours, theirs = predictions(resumed), predictions(whole)
    assert ours.keys() == theirs.keys()
    for epoch, probabilities in theirs.items():
        np.testing.assert_array_equal(ours[epoch], probabilities)
    kinds = ("epoch", "note", "test", *(["batch"] if batches_one_by_one else []))
    assert told(resumed, *kinds) == told(whole, *kinds)


def check(
    config: RunConfig, runs: Runs, monkeypatch: pytest.MonkeyPatch, kills: int, seed: int
) -> Run:
    """Train a configuration twice, once with random kills, and compare; the killed run."""
    workspace = runs.workspace
    whole = runs.create(config, "whole")
    moments = moments_of(whole, workspace, monkeypatch)
    random = np.random.default_rng(seed)
    chosen = [int(moment) for moment in random.integers(1, moments, size=kills)]
    resumed = train_with_kills(runs.create(config, "killed"), workspace, monkeypatch, chosen)
    assert_same(resumed, runs.again(whole))
    return resumed


@pytest.mark.parametrize("settings", CNN.values(), ids=CNN)
def test_a_cnn_that_is_killed_at_random_moments_ends_with_the_same_weights(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]
) -> None:
    check(configured("cnn-digits", settings), runs, monkeypatch, kills=3, seed=len(settings))


@pytest.mark.parametrize("settings", BACKBONES.values(), ids=BACKBONES)
def test_a_backbone_that_is_killed_at_a_random_moment_ends_with_the_same_weights(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]
) -> None:
    # One kill each, as every start builds a large network anew; CNNs are killed more often.
    check(configured("vgg16-digits", settings), runs, monkeypatch, kills=1, seed=len(settings))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of the CNN that nothing interrupted."""
    runs = Runs(Workspace(tmp_path_factory.mktemp("whole")))
    run = runs.create(configured("cnn-digits", {}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record, "EVENT_SECONDS", 0.0)
        work(run, runs.workspace)
    return runs.again(run)


def test_where_the_newest_checkpoint_was_damaged_the_one_before_leads_to_the_same(
    runs: Runs, whole: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, workspace = runs.create(whole.config, "killed"), runs.workspace
    interrupt(run, workspace, monkeypatch, moment=20)
    newest = max((run.folder.checkpoint).iterdir())
    newest.write_bytes(newest.read_bytes()[:-100])
    work(runs.resume(runs.again(run)), workspace)
    assert not newest.exists() or newest.stat().st_size > 100
    assert_same(runs.again(run), whole)


def test_a_run_without_any_checkpoint_begins_anew(
    runs: Runs, whole: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, workspace = runs.create(whole.config, "killed"), runs.workspace
    interrupt(run, workspace, monkeypatch, moment=20)
    shutil.rmtree(run.folder.checkpoint)
    work(runs.resume(runs.again(run)), workspace)
    assert_same(runs.again(run), whole)


def test_a_run_that_was_stopped_within_an_epoch_resumes_to_the_same(runs: Runs, whole: Run) -> None:
    run, workspace = runs.create(whole.config, "stopped"), runs.workspace
    tell = record.Record.__call__

    def stop_at_step_7(self: record.Record, event: Any) -> None:
        tell(self, event)
        if isinstance(event, BatchEnd) and event.step == 7:
            self.run.folder.stop_request.touch()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record.Record, "__call__", stop_at_step_7)
        work(run, workspace)
    stopped = runs.again(run)
    assert (stopped.status, stopped.state.epochs_done) == ("stopped", 2)
    work(runs.resume(stopped), workspace)
    assert_same(runs.again(run), whole)


CONSTANT = {"schedule": "constant", "learning_rate": 1e-3, "epochs": 2}


@pytest.mark.parametrize("settings", [{}, AUGMENTED], ids=["plain", "augmented"])
def test_a_run_that_is_trained_longer_ends_as_one_that_was_meant_to_be_so_long(
    runs: Runs, settings: dict[str, Any]
) -> None:
    longer, workspace = configured("cnn-digits", CONSTANT | settings), runs.workspace
    whole = runs.create(change(longer, {"epochs": 4}), "whole")
    run = runs.create(longer, "longer")
    for each in (whole, run):
        work(each, workspace)
    work(runs.resume(runs.again(run), more_epochs=2), workspace)
    assert runs.again(run).config.epochs == 4
    assert_same(runs.again(run), runs.again(whole))


def test_a_run_that_ended_early_waits_anew_when_it_is_trained_longer(runs: Runs) -> None:
    stalled = {"schedule": "constant", "learning_rate": 1e-30, "optimizer": "sgd", "epochs": 20}
    run = runs.create(configured("cnn-digits", stalled | {"early_stopping.patience": 2}))
    work(run, runs.workspace)
    assert runs.again(run).state.epochs_done == 3
    work(runs.resume(runs.again(run), more_epochs=5), runs.workspace)
    assert (runs.again(run).status, runs.again(run).state.epochs_done) == ("finished", 5)


def test_a_run_whose_test_images_changed_is_not_resumed(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runs.create(configured("cnn-digits", {}))
    interrupt(run, runs.workspace, monkeypatch, moment=20)
    runs.again(run).write_state(test_fingerprint="of other images")
    work(runs.resume(runs.again(run)), runs.workspace)
    error = runs.again(run).state.error
    assert error is not None
    assert error.kind == "data"
    assert error.sentence.startswith("The test images are no longer those that the run began with")


def test_what_an_interruption_lost_is_told_and_no_reader_sees_it_twice(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runs.create(configured("cnn-digits", {}))
    interrupt(run, runs.workspace, monkeypatch, moment=25)
    work(runs.resume(runs.again(run)), runs.workspace)
    every, _ = read_events(run.folder.metrics)
    assert [event["event"] for event in every].count("resumed") == 1
    steps = [event["step"] for event in lasting(every) if event["event"] == "batch"]
    assert steps == list(range(1, 16))
    assert runs.again(run).state.resumed == 1


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_a_worker_that_is_really_killed_leaves_what_ends_in_the_same_weights(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, eventually: Callable[[Callable[[], Any]], Any]
) -> None:
    monkeypatch.undo()  # a worker's own process keeps checkpoints where they are worth it
    config = configured("cnn-digits", AUGMENTED | {"train_images": 400, "epochs": 8, "side": 28})
    whole = runs.create(config, "whole")
    work(whole, runs.workspace)
    run = runs.create(config, "killed")
    engine, random = LocalEngine(runs.workspace), np.random.default_rng(7)
    engine.submit(run)
    steps = int(random.integers(1, 100))
    eventually(lambda: steps_of(run) >= steps or ended(runs.again(run)))
    if process := runs.again(run).state.process:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
    eventually(lambda: ended(runs.again(run)))
    engine.submit(runs.resume(runs.again(run)))
    eventually(lambda: all(ended(each) for each in runs.all()))
    assert runs.again(run).state.resumed == 1
    assert_same(runs.again(run), runs.again(whole), batches_one_by_one=False)


def steps_of(run: Run) -> int:
    batches = [event for event in read_events(run.folder.metrics)[0] if event["event"] == "batch"]
    return max((event["step"] for event in batches), default=0)


def ended(run: Run) -> bool:
    return run.status not in WAITING_OR_WORKING
