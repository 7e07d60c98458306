import pytest

from core.config import RunConfig, parse_config
from core.errors import InvalidConfig
from core.recipes import RECIPES, find_recipe


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_found_by_the_name_it_and_its_configuration_carry(name: str) -> None:
    recipe = find_recipe(name)
    assert recipe.name == recipe.config.recipe == name


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_a_valid_configuration(name: str) -> None:
    assert parse_config(RECIPES[name].config.model_dump_json()) == RECIPES[name].config


def test_the_cnn_recipe_is_the_network_of_the_articles() -> None:
    recipe = find_recipe("cnn-digits")
    assert shape_of(recipe.config) == (28, 1, (256,), 0.5)
    assert training_of(recipe.config) == (1, 86, "rmsprop")
    assert recipe.config.parameters.total == 887_530
    assert recipe.reported_accuracy == 0.9895


def test_the_vgg16_recipe_is_the_network_of_the_articles() -> None:
    recipe = find_recipe("vgg16-digits")
    assert shape_of(recipe.config) == (48, 3, (512,), 0.4)
    assert training_of(recipe.config) == (1, 86, "adam")
    assert recipe.config.parameters.frozen == 14_714_688
    assert recipe.config.parameters.trainable == 267_786
    assert recipe.reported_accuracy == 0.9565


def test_a_misspelt_recipe_suggests_the_right_one() -> None:
    with pytest.raises(InvalidConfig, match=r"did you mean vgg16-digits\?"):
        find_recipe("vgg-digits")


def test_an_unknown_recipe_is_answered_with_all_recipes() -> None:
    with pytest.raises(InvalidConfig, match="recipes are cnn-digits, vgg16-digits"):
        find_recipe("zzz")


def shape_of(config: RunConfig) -> tuple[int, int, tuple[int, ...], float]:
    network = config.network
    return network.side, network.channels, network.head.dense, network.head.dropout


def training_of(config: RunConfig) -> tuple[int, int, str]:
    return config.epochs, config.batch_size, config.optimizer
