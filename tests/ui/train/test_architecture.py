import pytest

from core.registry.config import RunConfig
from core.registry.recipes import RECIPES
from core.registry.settings import change
from ui.train.architecture import image_counts, keeps, kept_bytes, layer_table, layers_of

DIGITS = change(RECIPES["vgg16-digits"].config, {"precision": "float32"})
FOLDER = RECIPES["vgg16-folder"].config


def kept(config: RunConfig) -> int | None:
    return kept_bytes(config, layers_of(config), 0)


def test_every_layer_has_a_row() -> None:
    table = layer_table(DIGITS.blueprint, [True]).set_index("Layer")
    assert list(table.columns) == ["Kind", "Output", "Parameters", "Training"]
    assert list(table.loc["block1_conv1"]) == ["Conv2D", "48×48×64", 1792, "frozen, once"]
    assert list(table.loc["block1_pool"]) == ["MaxPooling2D", "24×24×64", 0, "once"]
    assert list(table.loc["dense_1"]) == ["Dense", "512", 262_656, "trains"]
    assert list(table.loc["dropout_1"]) == ["Dropout", "512", 0, "–"]
    assert table["Parameters"].sum() == DIGITS.parameters.total


def test_each_phase_has_a_column() -> None:
    config = change(DIGITS, {"second_phase.epochs": 1, "still_frozen": "block4"})
    table = layer_table(config.blueprint, [True, True]).set_index("Layer")
    assert list(table.loc["block5_conv1", ["Phase 1", "Phase 2"]]) == ["frozen, once", "trains"]


def test_layers_whose_output_is_not_kept_are_not_computed_once() -> None:
    table = layer_table(DIGITS.blueprint, [False]).set_index("Layer")
    assert table.loc["block1_conv1", "Training"] == "frozen"
    assert table.loc["block1_pool", "Training"] == "–"


def test_a_folder_not_yet_named_is_drawn_for_two_classes() -> None:
    assert layers_of(FOLDER).rows[-1].shape == (2,)
    named = change(FOLDER, {"data.classes": ["cat", "dog", "emu"]})
    assert layers_of(named).rows[-1].shape == (3,)


def test_what_is_kept_is_counted_for_all_images() -> None:
    assert kept(DIGITS) == 512 * 4 * 70_000
    assert kept(change(DIGITS, {"precision": "mixed_bfloat16"})) == 512 * 2 * 70_000
    assert kept(change(DIGITS, {"train_images": 1000, "test_images": 100})) == 512 * 4 * 1100
    varied = change(DIGITS, {"rotation": 10.0, "passes": 3})
    assert kept(varied) == 512 * 4 * (3 * 60_000 + 10_000)


def test_images_of_a_folder_are_not_counted() -> None:
    assert image_counts(FOLDER) is None
    assert kept(FOLDER) is None


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, True),
        ({"cache_features": False}, False),
        ({"augmentation.zoom": 0.1}, False),
        ({"augmentation.zoom": 0.1, "passes": 2}, True),
    ],
)
def test_output_is_kept_unless_it_is_never_the_same(
    settings: dict[str, object], expected: bool
) -> None:
    assert keeps(change(DIGITS, settings)) is expected
