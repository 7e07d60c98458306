from collections.abc import Callable
from typing import Any

import pytest

from core.analysis.story import kind_of, tell
from core.registry.recipes import RECIPES
from core.registry.run import Run
from core.registry.runs import Runs
from core.registry.settings import change

MakeTested = Callable[..., Run]
CNN, VGG16 = "cnn-digits", "vgg16-digits"


@pytest.fixture
def tested(runs: Runs) -> MakeTested:
    """A function that makes a run of a recipe with an accuracy on a test split."""

    def make(
        recipe: str, accuracy: float, *, split: str = "mnist", epochs: int = 1, **settings: Any
    ) -> Run:
        run = runs.create(change(RECIPES[recipe].config, settings))
        return run.write_state(
            status="finished",
            epochs_done=epochs,
            best_epoch=epochs,
            test_fingerprint=split,
            metrics={"test_accuracy": accuracy},
        )

    return make


def test_nothing_is_told_without_results(runs: Runs) -> None:
    runs.create(RECIPES[CNN].config)
    story = tell(runs.all())
    assert (story.dataset, story.built, story.carried, story.pair) == ("", None, None, None)


@pytest.mark.parametrize(
    ("recipe", "kind"),
    [
        (CNN, "built"),
        ("cnn-digits-augmented", "built"),
        (VGG16, "carried"),
        ("inceptionv3-cifar10-finetune", "carried"),
        ("vgg16-scratch-folder", None),
    ],
)
def test_a_network_is_built_for_the_task_or_carried_over(
    runs: Runs, recipe: str, kind: str | None
) -> None:
    assert kind_of(runs.create(RECIPES[recipe].config)) == kind


def test_the_best_of_each_kind_stand_for_it(tested: MakeTested, runs: Runs) -> None:
    tested(CNN, 0.97)
    cnn, vgg = tested(CNN, 0.98), tested(VGG16, 0.96)
    tested(VGG16, 0.95)
    story = tell(runs.all())
    assert story.pair is not None
    assert [run.id for run in story.pair] == [cnn.id, vgg.id]
    assert story.alike
    assert story.best is None


def test_networks_trained_alike_stand_before_better_ones_that_were_not(
    tested: MakeTested, runs: Runs
) -> None:
    cnn, vgg = tested(CNN, 0.98), tested(VGG16, 0.96)
    longer = tested("cnn-digits-augmented", 0.997, epochs=30)
    story = tell(runs.all())
    assert story.pair is not None
    assert story.best is not None
    assert [run.id for run in (*story.pair, story.best)] == [cnn.id, vgg.id, longer.id]
    assert story.alike


def test_an_answer_is_not_belied_by_the_best_network_of_all(tested: MakeTested, runs: Runs) -> None:
    cnn = tested(CNN, 0.98)
    tested(VGG16, 0.96)
    longer = tested(VGG16, 0.99, epochs=5)
    story = tell(runs.all())
    assert story.pair is not None
    assert [run.id for run in story.pair] == [cnn.id, longer.id]
    assert not story.alike
    assert story.best is None


def test_a_backbone_from_scratch_may_be_the_best_without_being_on_a_side(
    tested: MakeTested, runs: Runs
) -> None:
    tested(CNN, 0.98)
    tested(VGG16, 0.96)
    scratch = tested(VGG16, 0.99, **{"network.mode": "scratch", "network.weights": "random"})
    story = tell(runs.all())
    assert story.alike
    assert story.best is not None
    assert story.best.id == scratch.id


def test_the_split_with_both_kinds_is_told_of_the_newest_first(
    tested: MakeTested, runs: Runs
) -> None:
    for split in ("older", "newer"):
        tested(CNN, 0.9, split=split)
        tested(VGG16, 0.8, split=split)
    tested(CNN, 0.7, split="one kind only")
    story = tell(runs.all())
    assert story.pair is not None
    assert {run.state.test_fingerprint for run in story.pair} == {"newer"}


def test_one_kind_alone_is_told_of_too(tested: MakeTested, runs: Runs) -> None:
    vgg = tested(VGG16, 0.96)
    story = tell(runs.all())
    assert story.built is None
    assert story.carried is not None
    assert (story.carried.id, story.dataset) == (vgg.id, "mnist")


def test_runs_at_work_and_accuracies_that_are_no_numbers_do_not_count(
    tested: MakeTested, runs: Runs
) -> None:
    tested(CNN, float("nan"))
    good = tested(CNN, 0.1)
    tested(CNN, 0.99).write_state(status="queued")
    story = tell(runs.all())
    assert story.built is not None
    assert story.built.id == good.id
