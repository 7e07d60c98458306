import json
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from core.data.datasets import load_test
from core.network.models import load_run
from core.network.networks import build
from core.network.weights import arrays_of
from core.predicting.predictor import LoadedNetwork
from core.registry.predictions import read_predictions, stored_epochs
from core.registry.recipes import RECIPES
from core.registry.run import Run
from core.registry.runs import Runs
from core.registry.settings import change
from core.training.metrics import KINDS, Event, read_events
from core.worker import work
from core.workspace import Workspace

TINY = {
    "precision": "float32",
    "train_images": 60,
    "test_images": 20,
    "batch_size": 10,
    "side": 8,
    "dense": [8],
}
Eventually = Callable[[Callable[[], Any]], Any]
Train = Callable[..., Run]


@pytest.fixture
def train(workspace: Workspace, runs: Runs) -> Train:
    """A function that trains a tiny CNN in this process, as the worker does in its own."""

    def train(before: Callable[[Run], object] = lambda run: None, **settings: Any) -> Run:
        run = runs.create(change(RECIPES["cnn-digits"].config, TINY | settings))
        before(run)
        work(run, workspace)
        return runs.again(run)

    return train


def events(run: Run, kind: str) -> list[Event]:
    return [event for event in read_events(run.folder.metrics)[0] if event["event"] == kind]


def files(folder: Path) -> set[str]:
    """Files by their paths, without what the time and the number of steps put into their names."""
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return {re.sub(r"\d{5,}", "N", path) for path in found}


COMMON = {
    "config.json",
    "environment.json",
    "state.json",
    "metrics.jsonl",
    "log.txt",
    "predictions/test.npz",
    "predictions/epoch-1.npz",
    "model/epoch-1.npz",
    "checkpoint/step-N.npz",
    "tensorboard/train/events.out.tfevents.N.transfer-lab",
    "tensorboard/validation/events.out.tfevents.N.transfer-lab",
    "tensorboard/test/events.out.tfevents.N.transfer-lab",
}


def test_a_run_ends_finished_with_all_its_files(cnn_run: Run, vgg16_run: Run) -> None:
    assert (cnn_run.status, vgg16_run.status) == ("finished", "finished")
    assert files(cnn_run.folder.path) == COMMON
    assert files(vgg16_run.folder.path) == COMMON | {"model/backbone.json"}


def test_the_state_tells_what_came_of_it(cnn_run: Run) -> None:
    state = cnn_run.state
    assert (state.epoch, state.best_epoch, state.phase, state.error) == (1, 1, "", None)
    assert state.precision == "float32"
    assert state.parameters is not None
    assert (state.parameters.total, state.parameters.trainable) == (887_530, 887_530)
    assert state.test_fingerprint == load_test(cnn_run.config.data).fingerprint()
    assert state.seconds > 0
    assert state.peak_memory > 100 * 2**20
    assert state.process is not None
    assert not state.process.is_alive()


def test_its_accuracy_is_that_of_its_stored_predictions(cnn_run: Run) -> None:
    found = read_predictions(cnn_run)
    truth = load_test(cnn_run.config.data)
    np.testing.assert_array_equal(found.labels, truth.labels)
    np.testing.assert_array_equal(found.indices, np.arange(200))
    assert cnn_run.state.metrics["test_accuracy"] == accuracy_score(truth.labels, found.classes)


def test_the_lines_of_metrics_stand_for_every_image_once(cnn_run: Run) -> None:
    batches, (epoch,) = events(cnn_run, "batch"), events(cnn_run, "epoch")
    counts = [batch["images"] for batch in batches]
    assert sum(counts) == 600
    assert (batches[0]["batch"], batches[-1]["batch"]) == (1, batches[-1]["batches"])
    for name in ("loss", "accuracy"):
        mean = np.average([batch[name] for batch in batches], weights=counts)
        assert epoch[name] == pytest.approx(mean)


def test_the_epochs_line_holds_the_metrics_of_the_state(cnn_run: Run) -> None:
    (epoch,) = events(cnn_run, "epoch")
    assert {key: epoch[key] for key in cnn_run.state.metrics} == cnn_run.state.metrics
    assert epoch["complete"]
    assert epoch["best"]


def test_frozen_layers_tell_how_far_they_are(vgg16_run: Run) -> None:
    phases = {event["phase"]: event for event in events(vgg16_run, "phase")}
    for part, total in (("training", 100), ("test", 50)):
        told = phases[f"features of {part} images"]
        assert (told["done"], told["total"], told["unit"]) == (total, total, "images")


def test_the_best_epoch_is_the_one_most_right_and_of_equals_least_wrong(train: Train) -> None:
    run = train(epochs=6, learning_rate=0.01)
    epochs = events(run, "epoch")
    best = max(epochs, key=lambda epoch: (epoch["val_accuracy"], -epoch["val_loss"]))
    assert run.state.best_epoch == best["epoch"]
    assert run.state.metrics["val_loss"] == best["val_loss"]
    assert stored_epochs(run) == [1, 2, 3, 4, 5, 6]


def test_weights_kept_as_best_are_those_of_the_best_epoch(train: Train) -> None:
    run = train(epochs=6, learning_rate=0.01)
    assert_answers_as_after(run, run.state.best_epoch)


def assert_answers_as_after(run: Run, epoch: int) -> None:
    """Weights that were kept see in the test images what the network saw after an epoch."""
    images = load_test(run.config.data).images
    network = LoadedNetwork(load_run(run, epoch), run.config.network)
    stored = read_predictions(run, epoch).probabilities
    np.testing.assert_allclose(network.probabilities(images), stored, atol=1e-3)


@pytest.fixture(scope="module")
def backbone_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of the backbone of the tiny CNN."""
    path = tmp_path_factory.mktemp("backbone") / "cnn.npz"
    network = build(change(RECIPES["cnn-digits"].config, TINY).network, classes=10)
    np.savez(path, allow_pickle=False, **arrays_of(network.backbone_layers))
    return path


TWO_PHASES = {"mode": "transfer", "schedule": "constant", "second_phase.epochs": 2}
MOBILENET = {
    "architecture": "mobilenet",
    "alpha": 0.25,
    "channels": 3,
    "side": 32,
    "second_phase.still_frozen": "block11",
}


@pytest.mark.parametrize("settings", [{}, {"still_frozen": "block1"}, MOBILENET], ids=str)
def test_a_run_of_two_phases_unfreezes_layers_in_the_second(
    train: Train, backbone_file: Path, settings: dict[str, Any]
) -> None:
    weights = "random" if "architecture" in settings else str(backbone_file)
    run = train(epochs=2, weights=weights, **TWO_PHASES | settings)
    assert run.status == "finished"
    assert [epoch["epoch"] for epoch in events(run, "epoch")] == [1, 2, 3, 4]
    first, second = run.config.blueprint.phases
    assert first.trainable < second.trainable
    count = len(run.config.network.graph.layers) - run.config.phases[1].frozen_count
    (note,) = events(run, "note")
    assert (note["epoch"], note["text"].split(" ")[0]) == (2, str(count))
    assert_answers_as_after(run, run.state.best_epoch)
    assert_answers_as_after(run, 4)


def test_what_was_frozen_at_first_changes_in_the_second_phase_alone(
    train: Train, backbone_file: Path
) -> None:
    run = train(weights=str(backbone_file), **TWO_PHASES, **{"still_frozen": "block1"})
    network = load_run(run, run.state.epochs_done)
    with np.load(backbone_file) as before:
        changed = {
            key.split("/")[0]
            for key, array in arrays_of(network.backbone_layers).items()
            if not np.array_equal(array, before[key])
        }
    assert changed == {"block2_conv1", "block2_conv2"}


def test_a_run_that_no_longer_improves_finishes_early_and_says_so(train: Train) -> None:
    stalled = {"schedule": "constant", "learning_rate": 1e-30, "optimizer": "sgd", "epochs": 20}
    run = train(**stalled, **{"early_stopping.patience": 2})
    assert run.status == "finished"
    assert run.state.epochs_done == len(events(run, "epoch")) == 3
    (note,) = events(run, "note")
    assert note["epoch"] == 3
    assert note["text"] == ("val_loss has not improved for 2 epochs: this phase ends here.")
    assert run.state.best_epoch == 1
    assert run.folder.weights(run.state.epochs_done).exists()


def test_the_best_epoch_may_be_the_one_of_the_lowest_loss(train: Train) -> None:
    run = train(epochs=6, learning_rate=0.01, best_by="val_loss")
    best = min(events(run, "epoch"), key=lambda epoch: epoch["val_loss"])
    assert run.state.best_epoch == best["epoch"]


def test_a_run_goes_on_from_what_another_learned(train: Train) -> None:
    source = train(epochs=3)
    run = train(mode="transfer", weights=f"run:{source.id}")
    assert run.status == "finished"
    learned, kept = (arrays_of(load_run(each).backbone_layers) for each in (source, run))
    for key, array in learned.items():
        np.testing.assert_array_equal(kept[key], array)


def test_a_stop_before_it_begins_ends_without_training(train: Train) -> None:
    run = train(before=lambda run: run.folder.stop_request.touch())
    assert run.status == "stopped"
    assert not run.has_results
    assert not run.folder.metrics.exists()


def test_a_stop_while_it_trains_keeps_and_evaluates_what_was_learned(
    train: Train, eventually: Eventually
) -> None:
    def stop_after_the_second_epoch(run: Run) -> None:
        def stop() -> None:
            eventually(lambda: len(events(run, "epoch")) >= 2)
            run.folder.stop_request.touch()

        threading.Thread(target=stop, daemon=True).start()

    run = train(before=stop_after_the_second_epoch, epochs=10_000, train_images=200)
    epochs = events(run, "epoch")
    assert run.status == "stopped"
    assert 2 <= run.state.epoch == len(epochs) < 10_000
    assert run.folder.weights(run.state.best_epoch).exists()
    last = read_predictions(run, run.state.epoch)
    assert epochs[-1]["test_accuracy"] == accuracy_score(last.labels, last.classes)


def failure(run: Run) -> tuple[str, str, str]:
    """Kind, sentence and advice of a run that failed."""
    assert run.status == "failed"
    assert run.state.error is not None
    return run.state.error.kind, run.state.error.sentence, run.state.error.advice


def test_a_weights_file_that_is_not_there_is_told(runs: Runs, workspace: Workspace) -> None:
    config = change(RECIPES["vgg16-digits"].config, {"side": 32, "weights": "/no/such.h5"})
    run = runs.create(config)
    work(run, workspace)
    assert failure(runs.again(run)) == (
        "request",
        "Network.weights must be one of bundled, keras, a weights file, run:NAME, random, got "
        "/no/such.h5, which is no file.",
        "Change that setting and launch a new run.",
    )


def test_a_source_that_was_deleted_while_the_run_waited_is_told(train: Train, runs: Runs) -> None:
    source = train()
    run = train(lambda run: runs.delete(source), mode="transfer", weights=f"run:{source.id}")
    kind, sentence, _ = failure(run)
    assert (kind, sentence.split(";")[0]) == ("request", f"There is no run '{source.id}'")


def test_a_run_that_diverges_is_told_to_go_slower(train: Train) -> None:
    hasty = {"learning_rate": 10, "optimizer": "sgd", "schedule": "constant", "epochs": 3}
    run = train(**hasty, side=28, dense=[256])
    kind, sentence, advice = failure(run)
    assert kind == "diverged"
    assert sentence.startswith("The loss is no longer a number at step ")
    assert sentence.endswith("try a learning_rate of 1.")
    assert advice == "Launch it again with that, from this run's settings."


def test_what_nobody_foresaw_ends_in_the_state_and_the_log(
    train: Train, capsys: pytest.CaptureFixture[str]
) -> None:
    run = train(before=lambda run: (run.folder.path / "predictions").write_text("in the way"))
    kind, sentence, _ = failure(run)
    assert kind == "unexpected"
    assert sentence.startswith("Training broke off: FileExistsError: ")
    assert "Traceback" in capsys.readouterr().err


def test_metrics_of_every_line_can_be_read_by_any_tool(vgg16_run: Run) -> None:
    for line in vgg16_run.folder.metrics.read_text().splitlines():
        assert json.loads(line)["event"] in KINDS
