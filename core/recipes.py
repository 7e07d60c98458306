"""Named, complete configurations to start from, with what was reported for each."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from core.config import HeadConfig, NetworkConfig, RunConfig
from core.errors import InvalidConfig


@dataclass(frozen=True)
class Recipe:
    """A configuration with a sentence about it and the test accuracy its source reports."""

    name: str
    summary: str
    reported_accuracy: float
    config: RunConfig


def _cnn_digits() -> Recipe:
    config = RunConfig(
        recipe="cnn-digits",
        network=NetworkConfig(
            architecture="cnn",
            mode="scratch",
            weights="random",
            side=28,
            head=HeadConfig(dense=(256,), dropout=0.5),
        ),
        epochs=1,
        batch_size=86,
        optimizer="rmsprop",
        learning_rate=3e-3,
        schedule="one_cycle",
    )
    return Recipe(
        name="cnn-digits",
        summary="A CNN made for handwritten digits, trained from random weights.",
        reported_accuracy=0.9895,
        config=config,
    )


def _vgg16_digits() -> Recipe:
    config = RunConfig(
        recipe="vgg16-digits",
        network=NetworkConfig(
            architecture="vgg16",
            mode="transfer",
            weights="bundled",
            side=48,
            head=HeadConfig(dense=(512,), dropout=0.4),
        ),
        epochs=1,
        batch_size=86,
        optimizer="adam",
        learning_rate=3e-3,
        schedule="one_cycle",
    )
    return Recipe(
        name="vgg16-digits",
        summary="VGG16 as it learned to see on ImageNet, frozen; only a small head learns digits.",
        reported_accuracy=0.9565,
        config=config,
    )


RECIPES: Mapping[str, Recipe] = {recipe.name: recipe for recipe in (_cnn_digits(), _vgg16_digits())}


def find_recipe(name: str) -> Recipe:
    """The recipe of that name. Raises InvalidConfig, with the names there are, for any other."""
    if name in RECIPES:
        return RECIPES[name]
    close = get_close_matches(name, RECIPES, n=1)
    hint = f"did you mean {close[0]}?" if close else f"recipes are {', '.join(RECIPES)}"
    raise InvalidConfig(f"there is no recipe {name!r}; {hint}")
