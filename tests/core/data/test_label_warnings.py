from typing import Any

import pytest

from core.data.data_config import AugmentationConfig
from core.data.label_warnings import label_warnings
from core.registry.recipes import RECIPES


def warned(digits: bool = True, **settings: Any) -> list[str]:
    """What the warnings about some settings begin with."""
    found = label_warnings(AugmentationConfig(**settings), digits)
    return [warning.partition(":")[0] for warning in found]


@pytest.mark.parametrize(
    ("settings", "about"),
    [
        ({"horizontal_flip": True}, "Horizontal flip"),
        ({"vertical_flip": True}, "Vertical flip"),
        ({"rotation": 46.0}, "Rotation by more than 45 degrees"),
        ({"shift": 0.3}, "Shift by more than 0.25 of the side"),
        ({"rotation": 10.0, "fill": "reflect"}, "Fill reflect"),
        ({"rotation": 10.0, "fill": "wrap"}, "Fill wrap"),
    ],
)
def test_what_changes_a_digit_is_warned_of(settings: dict[str, Any], about: str) -> None:
    assert warned(**settings) == [about]


@pytest.mark.parametrize(
    "settings",
    [
        {"rotation": 45.0, "zoom": 0.2, "shift": 0.25, "shear": 0.2, "fill": "nearest"},
        {"brightness": 0.5, "contrast": 0.5, "noise": 0.2},
        {"brightness": 0.5, "fill": "reflect"},  # nothing moves, so nothing is filled
    ],
)
def test_what_leaves_a_digit_itself_is_not_warned_of(settings: dict[str, Any]) -> None:
    assert warned(**settings) == []


def test_each_such_setting_has_a_warning_of_its_own() -> None:
    assert len(warned(horizontal_flip=True, vertical_flip=True, rotation=180.0)) == 3


def test_nothing_is_warned_of_where_images_show_no_digits() -> None:
    assert warned(digits=False, horizontal_flip=True, rotation=180.0, fill="wrap") == []


@pytest.mark.parametrize("name", RECIPES)
def test_no_recipe_changes_labels(name: str) -> None:
    config = RECIPES[name].config
    assert label_warnings(config.augmentation, config.data.shows_digits) == []
