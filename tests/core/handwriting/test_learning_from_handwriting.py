import numpy as np
import pytest
from numpy.typing import NDArray

from core.data.data_config import DataConfig
from core.data.datasets import Splits, load_splits
from core.errors import DamagedFile, InvalidConfig
from core.handwriting.handwriting import Handwriting
from core.handwriting.handwriting_scores import learned_from
from core.registry.choices import effective, fitting, settings_of
from core.registry.config import RunConfig
from core.registry.preflight import settle
from core.registry.recipes import RECIPES
from core.registry.runs import Runs
from core.registry.settings import change
from core.workspace import Workspace

Mnist = dict[str, NDArray[np.uint8]]
FEW = {"train_images": 50, "test_images": 20, "data.handwriting": True}


@pytest.fixture
def handwriting(workspace: Workspace, mnist: Mnist) -> Handwriting:
    """Three samples: 7, 2 and 1."""
    handwriting = Handwriting(workspace)
    for digit, label in zip(mnist["x_test"][:3], mnist["y_test"][:3].tolist(), strict=True):
        handwriting.save(digit, label, picture=digit)
    return handwriting


@pytest.fixture
def few(config: RunConfig) -> RunConfig:
    """A configuration with 50 training images and the samples."""
    return change(config, FEW)


def splits_of(config: RunConfig, workspace: Workspace) -> Splits:
    return load_splits(config.data, config.seed, workspace=workspace)


def test_the_samples_come_after_the_training_images_and_nowhere_else(
    few: RunConfig, runs: Runs, handwriting: Handwriting, mnist: Mnist
) -> None:
    splits = splits_of(settle(few, runs), runs.workspace)
    assert len(splits.train) == 53
    np.testing.assert_array_equal(splits.train.images[:50], mnist["x_train"][:50])
    np.testing.assert_array_equal(splits.train.images[50:], mnist["x_test"][:3])
    np.testing.assert_array_equal(splits.train.labels[50:], [7, 2, 1])
    np.testing.assert_array_equal(splits.train.indices[50:], [60_000, 60_001, 60_002])
    assert len(splits.test) == 20
    held_out = splits_of(settle(change(few, {"validation": 0.2}), runs), runs.workspace)
    assert held_out.validation.indices.max() < 50
    assert len(held_out.train) + len(held_out.validation) == 53


def test_what_is_learned_from_has_another_fingerprint(
    few: RunConfig, runs: Runs, handwriting: Handwriting
) -> None:
    without = splits_of(change(few, {"data.handwriting": False}), runs.workspace)
    first = splits_of(settle(few, runs), runs.workspace)
    handwriting.relabel(handwriting.read().samples[0].id, 1)
    second = splits_of(settle(few, runs), runs.workspace)
    assert len({splits.train.fingerprint() for splits in (without, first, second)}) == 3
    assert len({splits.test.fingerprint() for splits in (without, first, second)}) == 1


def test_a_run_goes_on_with_the_samples_it_was_launched_with(
    few: RunConfig, runs: Runs, handwriting: Handwriting, mnist: Mnist
) -> None:
    settled = settle(few, runs)
    before = splits_of(settled, runs.workspace).train.fingerprint()
    one, two, _ = handwriting.read().samples
    handwriting.relabel(one.id, 0)
    handwriting.delete([two.id])
    handwriting.save(mnist["x_test"][9], 9, picture=mnist["x_test"][9])
    assert splits_of(settled, runs.workspace).train.fingerprint() == before
    assert settle(settled, runs) == settled
    assert settle(few, runs) != settled


@pytest.mark.parametrize("content", [None, b"x"])
def test_samples_that_are_gone_or_damaged_are_told(
    few: RunConfig, runs: Runs, handwriting: Handwriting, content: bytes | None
) -> None:
    settled = settle(few, runs)
    (file,) = runs.workspace.frozen_handwriting.iterdir()
    file.unlink()
    if content is None:
        with pytest.raises(InvalidConfig, match="must name samples that a run was launched with"):
            settle(settled, runs)
    else:
        file.write_bytes(content)
    with pytest.raises(DamagedFile, match="samples of handwriting that the run learns from"):
        splits_of(settled, runs.workspace)


def test_other_samples_under_the_same_name_are_told(
    few: RunConfig, runs: Runs, handwriting: Handwriting
) -> None:
    settled = settle(few, runs)
    handwriting.relabel(handwriting.read().samples[0].id, 0)
    settle(few, runs)
    right, wrong = sorted(
        runs.workspace.frozen_handwriting.iterdir(),
        key=lambda path: path.stem != settled.data.handwriting_samples,
    )
    wrong.replace(right)
    with pytest.raises(DamagedFile, match="no longer those it was launched with"):
        splits_of(settled, runs.workspace)


def test_without_samples_there_is_nothing_to_learn_from(few: RunConfig, runs: Runs) -> None:
    with pytest.raises(InvalidConfig, match="must be false while there is no handwriting"):
        settle(few, runs)


def test_only_a_network_for_digits_learns_from_handwriting() -> None:
    with pytest.raises(ValueError, match="handwriting must be false for cifar10"):
        DataConfig(name="cifar10", handwriting=True)
    with pytest.raises(ValueError, match="handwriting_samples must be empty or a fingerprint"):
        DataConfig(handwriting=True, handwriting_samples="../../x")


def test_the_form_forgets_handwriting_with_digits_and_takes_the_newest_samples(
    few: RunConfig, runs: Runs, handwriting: Handwriting
) -> None:
    settled = settle(few, runs)
    settings = settings_of(settled)
    other = effective({**settings, "data.name": "fashion_mnist"}, few)
    assert (other["data.handwriting"], other["data.handwriting_samples"]) == (False, "")
    again = fitting(settings, "data.handwriting", True, few)
    assert again["data.handwriting_samples"] == ""


def test_what_was_learned_from_is_known_of_each_sample(
    few: RunConfig, runs: Runs, handwriting: Handwriting, mnist: Mnist
) -> None:
    run = runs.create(settle(few, runs))
    handwriting.save(mnist["x_test"][9], 9, picture=mnist["x_test"][9])
    samples = handwriting.read()
    assert learned_from(run, samples, runs.workspace).tolist() == [True, True, True, False]
    plain = runs.create(RECIPES["cnn-digits"].config)
    assert not learned_from(plain, samples, runs.workspace).any()
