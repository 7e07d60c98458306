"""The benchmarks start and say what they would measure; measuring takes too long for a test."""

import math
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from benchmarks import (
    epochs,
    features,
    plain_backbones,
    plain_cnn,
    plain_vgg16,
    plain_vgg16_4096,
    plain_vgg16_finetune,
)
from benchmarks.__main__ import KINDS, MINUTES
from benchmarks.made_up import make_runs
from benchmarks.options import Options, image_counts
from benchmarks.record import Goal, Row
from core.network.network_config import NetworkConfig
from core.registry.config import RunConfig
from core.registry.recipes import RECIPES, find_recipe
from core.registry.runs import Runs
from core.registry.settings import change
from core.workspace import Workspace

PROJECT = Path(__file__).resolve().parent.parent
CONTESTS = {
    "vgg16-digits-4096": epochs.VGG16_4096,
    "vgg16-finetune": epochs.FINETUNE,
    **epochs.BACKBONES,
}


@pytest.mark.parametrize("arguments", [["--help"], ["--only", "nothing-of-that-name"]])
def test_the_benchmarks_say_what_there_is_to_measure(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == (0 if arguments == ["--help"] else 2), done.stderr
    for name in MINUTES:
        assert name in done.stdout + done.stderr


def test_every_name_is_a_benchmark_and_no_two_steps_of_one_are_called_alike(
    tmp_path: Path,
) -> None:
    known = [each for kind in KINDS for each in kind.benchmarks(Options(tmp_path))]
    assert [benchmark.name for benchmark in known] == list(MINUTES)
    for benchmark in known:
        names = [step.name for step in benchmark.steps]
        assert len(set(names)) == len(names)


def test_rows_can_be_made_before_anything_was_measured(tmp_path: Path) -> None:
    for kind in KINDS:
        for benchmark in kind.benchmarks(Options(tmp_path)):
            samples = {step.name: [] for step in benchmark.steps}
            assert {row.ours for row in benchmark.rows(samples)} == {None}


def test_what_takes_longest_is_measured_once(tmp_path: Path) -> None:
    benchmarks = {each.name: each for each in epochs.benchmarks(Options(tmp_path, repeats=3))}
    for name in epochs.ONCE:
        (step,) = benchmarks[name].steps
        assert step.needed({})
        assert not step.needed({step.name: []})  # it was tried, and failed


# --- both sides train the same ----------------------------------------------------------------


def config_of(contest: epochs.Contest) -> RunConfig:
    return change(
        find_recipe(contest.recipe).config, {**contest.settings, "epochs": contest.epochs}
    )


def counts(model: keras.Model) -> tuple[int, int]:
    """All parameters, and those that train."""
    return model.count_params(), sum(
        math.prod(variable.shape) for variable in model.trainable_variables
    )


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (plain_cnn.build_model, (887_530, 887_530)),
        (plain_vgg16.build_model, (14_982_474, 267_786)),
        (plain_vgg16_4096.build_model, (33_638_218, 18_923_530)),
        (plain_vgg16_finetune.build_model, (14_982_474, 7_347_210)),
    ],
    ids=["cnn", "vgg16", "vgg16_4096", "vgg16_finetune"],
)
def test_a_plain_script_builds_the_network_of_the_article(model, expected) -> None:
    assert counts(model()) == expected


@pytest.mark.parametrize("name", CONTESTS)
def test_ours_trains_as_many_parameters_as_the_plain_script(name: str) -> None:
    build = {
        "vgg16-digits-4096": plain_vgg16_4096.build_model,
        "vgg16-finetune": plain_vgg16_finetune.build_model,
    }
    plain = build[name]() if name in build else plain_backbones.build_model(name)
    ours = config_of(CONTESTS[name]).parameters
    assert (ours.total, ours.trainable) == counts(plain)


def test_fine_tuning_takes_the_settings_of_the_plain_script() -> None:
    config = config_of(epochs.FINETUNE)
    assert (config.optimizer, config.learning_rate, config.schedule) == ("adam", 1e-4, "constant")
    assert (config.batch_size, config.epochs) == (86, 5)


# --- arithmetic -------------------------------------------------------------------------------


def test_epochs_that_were_not_timed_are_reckoned_like_those_after_the_first() -> None:
    sample = {"process_seconds": 20.0, "seconds_by_epoch": [6.0, 4.0, 5.0, 4.5]}
    assert epochs.whole_seconds(sample, 4) == 20.0
    assert epochs.whole_seconds(sample, 100) == 20.0 + 96 * 4.5


def test_vgg16_takes_the_operations_that_are_published() -> None:
    """15.3 thousand million multiplications with additions at 224x224, without the dense layers."""
    network = NetworkConfig(architecture="vgg16", mode="transfer", weights="bundled", side=224)
    assert features.forward_operations(network) == 2 * 15_346_630_656
    small = RECIPES["vgg16-digits"].config.network
    assert features.forward_operations(small) == 2 * 15_346_630_656 * 48**2 // 224**2


def test_image_counts_are_a_share_and_never_too_few_to_train_on() -> None:
    assert image_counts(0.5) == (30_000, 5_000)
    assert image_counts(0.5, 1000, 100) == (500, 50)
    assert image_counts(0.001, 1000, 100) == (90, 20)


def test_the_ratio_is_above_1_where_ours_is_better() -> None:
    assert Row("seconds", "s", ours=2.0, baseline=6.0).ratio == 3.0
    assert Row("rate", "images/s", ours=6.0, baseline=2.0).ratio == 3.0


@pytest.mark.parametrize(("baseline", "met"), [(0.984, True), (0.994, True), (0.98, False)])
def test_a_goal_may_be_how_far_apart_two_accuracies_are(baseline: float, met: bool) -> None:
    row = Row("accuracy", "%", 0.989, baseline, Goal("at most", 0.0051, "difference"))
    assert row.met is met
    assert row.cells()[3:5] == ("-", "at most 0.51 points apart")


def test_a_goal_that_was_not_measured_is_neither_met_nor_missed() -> None:
    row = Row("accuracy", "%", 0.989, None, Goal("at most", 0.005, "difference"))
    assert row.met is None
    assert row.cells()[-1] == "not measured"


# --- what pages are measured on ---------------------------------------------------------------


def test_made_up_runs_can_be_read(tmp_path: Path) -> None:
    make_runs(Workspace(tmp_path), 3)
    runs = Runs(Workspace(tmp_path)).all()
    assert [run.status for run in runs] == ["finished"] * 3
    assert all(run.has_results for run in runs)
