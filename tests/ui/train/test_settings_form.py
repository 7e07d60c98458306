import pytest

from core.registry.choices import settings_of
from core.registry.recipes import RECIPES
from ui.train.settings_form import SUMMARIES, way_of_frozen_layers

SETTINGS = settings_of(RECIPES["vgg16-digits"].config)
ZOOM = {"augmentation.zoom": 0.1}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "once over each image"),
        ({"cache_features": False}, "switched off"),
        (ZOOM, "in every epoch"),
        (ZOOM | {"augmentation.passes": 3}, "once over 3 variations of each image"),
        (ZOOM | {"network.mode": "features"}, "once over each image"),
    ],
)
def test_the_way_of_the_frozen_layers_is_told(changes: dict[str, object], words: str) -> None:
    assert words in way_of_frozen_layers(SETTINGS | changes)


def test_each_section_says_what_is_set_in_it() -> None:
    assert {title: say(SETTINGS) for title, say in SUMMARIES.items()} == {
        "Training": "1 epoch · Adam 0.003",
        "Learning-rate schedule": "one cycle",
        "Network": "VGG16 · transfer · 48 px",
        "Head": "flatten · 512",
        "Second phase": "off",
        "Data and augmentation": "mnist · not varied",
        "Stopping and keeping": "trains to the end",
        "Weighting, precision, seed": "precision auto",
    }
