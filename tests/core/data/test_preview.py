"""What a preview shows, against what training is fed: through all that stands between, twice."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.data.datasets import load_splits, settle
from core.data.preview import (
    BEGINNING,
    as_trained,
    deciding,
    first_positions,
    previewed,
    random_positions,
    trained_on,
    varied,
)
from core.errors import InvalidConfig
from core.imported.dataset import ImportedDataset
from core.registry.config import RunConfig
from core.registry.settings import change
from core.training.inputs import prepare
from core.workspace import Workspace

ImportPictures = Callable[..., ImportedDataset]
VARIED: dict[str, Any] = {
    "rotation": 20,
    "zoom": 0.2,
    "shift": 0.1,
    "shear": 0.1,
    "horizontal_flip": True,
    "vertical_flip": True,
    "brightness": 0.2,
    "contrast": 0.2,
    "noise": 0.05,
    "fill": "reflect",
    "seed": 3,
}
LABELS = np.array([1, 1, 0, 0, 0, 4, 1, 4], np.int64)


def fed(config: RunConfig, workspace: Workspace, indices: Any, number: int) -> NDArray[np.uint8]:
    """What a run feeds its network for some training images, by index, in one pass."""
    data, side = settle(config.data, workspace), config.network.side
    splits = load_splits(data, config.seed, side=side, workspace=workspace)
    inputs = prepare(config, splits, None, 0, lambda event: None, lambda: False)
    positions = np.searchsorted(splits.train.indices, indices)
    np.testing.assert_array_equal(splits.train.indices[positions], indices)
    (rows,) = inputs.train.rows(positions, number)
    return np.asarray(rows)


@pytest.mark.parametrize("validation", ["test", 0.2])
@pytest.mark.parametrize(
    ("alike", "grey", "channels"),
    [(True, True, 1), (True, False, 3), (True, False, 1), (False, False, 3), (False, False, 1)],
)
def test_training_gets_exactly_the_pixels_that_a_preview_shows(
    import_pictures: ImportPictures,
    workspace: Workspace,
    alike: bool,
    grey: bool,
    channels: int,
    validation: str | float,
) -> None:
    dataset = import_pictures(alike=alike, grey=grey)
    settings = {"side": 16, "channels": channels, "data.validation": validation}
    config = previewed(VARIED | settings)

    every = dataset.positions("train")
    kept = trained_on(dataset.labels[every].astype(np.int64), config)
    positions = random_positions(np.zeros(len(kept), np.int64), 6, seed=1)
    pictures = [dataset.picture(int(every[index])) for index in kept[positions]]
    shown = varied(as_trained(pictures, config, from_files=not alike), positions, config, passes=3)

    run = change(config, {"data.name": dataset.name})
    for number in (1, 2, 3):
        expected = fed(run, workspace, kept[positions], number)
        np.testing.assert_array_equal(shown[number - 1], expected)


def test_a_fraction_that_is_held_back_changes_how_the_others_are_varied(
    import_pictures: ImportPictures,
) -> None:
    labels = import_pictures().labels[:20].astype(np.int64)
    kept = trained_on(labels, previewed({"data.validation": 0.2}))
    assert len(kept) == 16
    assert kept.tolist() != list(range(16))


def test_pictures_stay_as_they_are_where_nothing_is_varied() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 1), np.uint8)
    shown = varied(images, np.arange(2), BEGINNING, passes=2)
    np.testing.assert_array_equal(shown, [images, images])


def test_the_first_pictures_are_taken_from_the_classes_in_turn() -> None:
    assert first_positions(LABELS, 5).tolist() == [2, 3, 0, 1, 5]
    assert first_positions(LABELS, 2).tolist() == [2, 0]
    assert first_positions(LABELS, 100).tolist() == [2, 3, 4, 0, 1, 6, 5, 7]


def test_random_pictures_are_others_with_another_seed_and_each_comes_once() -> None:
    labels = np.arange(1000, dtype=np.int64) % 7
    one, two = (random_positions(labels, 20, seed) for seed in (1, 2))
    assert len(set(one.tolist())) == 20
    assert one.tolist() != two.tolist()
    assert (np.diff(labels[one]) >= 0).all()


def test_only_what_decides_pixels_is_taken_from_other_settings() -> None:
    config = previewed({"rotation": 5, "epochs": 7, "augmentation.passes": 3, "side": 48})
    assert config == change(BEGINNING, {"rotation": 5, "side": 48})


def test_all_that_decides_pixels_makes_the_same_preview_again() -> None:
    config = previewed(VARIED | {"side": 96, "channels": 3, "data.validation": 0.1})
    settings = deciding(config)
    assert previewed(settings) == config
    assert "augmentation.passes" not in settings


def test_settings_that_break_a_rule_are_refused() -> None:
    with pytest.raises(
        InvalidConfig, match=r"augmentation\.rotation must be at most 180\.0, got 181"
    ):
        previewed({"rotation": 181})
