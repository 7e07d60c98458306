"""Train on imported datasets: how they are chosen, and what changes along."""

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.imported.dataset import ImportedDataset
from core.imported.library import Library
from core.registry.recipes import RECIPES
from core.registry.run import Run
from core.registry.runs import Runs
from core.registry.settings import change
from core.workspace import Workspace

OpenPage = Callable[..., AppTest]
ImportPictures = Callable[..., ImportedDataset]
TRAIN = "pages/2_Train.py"
RECIPE, COMMON, EVERYTHING = "Recipe only", "Common settings", "Everything"


def plain(text: str) -> str:
    return text.replace("\\", "")


def show(at: AppTest, level: str) -> AppTest:
    (levels,) = [control for control in at.segmented_control if control.label == "Settings"]
    levels.set_value(level)
    return at.run()


def asked(at: AppTest, label: str) -> Any:
    every = [*at.selectbox, *at.number_input, *at.text_input]
    (found,) = [widget for widget in every if widget.label.removesuffix(" ●") == label]
    return found


def choose(at: AppTest, label: str, value: object) -> AppTest:
    asked(at, label).set_value(value)
    return at.run()


def launched(at: AppTest, runs: Runs) -> Run:
    (launch,) = [button for button in at.button if button.label == "Launch"]
    assert not launch.disabled
    launch.click()
    at.run()
    assert not at.exception
    return runs.all()[0]


def test_imported_datasets_are_offered_with_their_images_and_classes(
    open_page: OpenPage, import_pictures: ImportPictures
) -> None:
    import_pictures()
    at = show(open_page(TRAIN), COMMON)
    assert asked(at, "Dataset").options[0] == "shades · 32 images, 2 classes"


def test_a_cnn_is_given_the_colours_and_the_size_of_what_is_chosen(
    open_page: OpenPage, import_pictures: ImportPictures, runs: Runs
) -> None:
    import_pictures(size=40)
    at = choose(show(open_page(TRAIN), COMMON), "Dataset", "shades")
    (told,) = [toast.value for toast in at.toast]
    assert plain(told) == "Changed along: side 43, channels colour (3)."
    config = launched(at, runs).config
    assert (config.network.side, config.network.channels) == (43, 3)
    assert config.class_names == ("dark", "light")
    assert config.data.fingerprint


def test_back_at_its_own_dataset_a_recipe_is_as_it_was(
    open_page: OpenPage, import_pictures: ImportPictures
) -> None:
    import_pictures()
    at = choose(show(open_page(TRAIN), COMMON), "Dataset", "shades")
    at = choose(at, "Dataset", "mnist")
    assert not [text for text in at.markdown if " → " in text.value]


def test_grey_digits_keep_what_the_network_for_digits_has(
    open_page: OpenPage, import_pictures: ImportPictures, runs: Runs
) -> None:
    import_pictures("mine", alike=True, grey=True, size=28, digits=True)
    at = choose(show(open_page(TRAIN), COMMON), "Dataset", "mine")
    config = launched(at, runs).config
    assert (config.network.side, config.network.channels) == (28, 1)
    assert config.data.shows_digits


def test_a_recipe_for_a_folder_takes_an_imported_dataset_at_once(
    open_page: OpenPage, import_pictures: ImportPictures, runs: Runs
) -> None:
    import_pictures()
    at = choose(open_page(TRAIN), "Recipe", "vgg16-scratch-folder")
    assert "Folder of images" in [field.label for field in at.text_input]
    at = choose(at, "Dataset", "shades")
    assert "Folder of images" not in [field.label for field in at.text_input]
    config = launched(at, runs).config
    assert (config.data.name, config.network.side) == ("shades", 224)


def test_another_recipe_keeps_the_dataset(
    open_page: OpenPage, import_pictures: ImportPictures
) -> None:
    import_pictures()
    at = choose(show(open_page(TRAIN), COMMON), "Dataset", "shades")
    at = choose(at, "Recipe", "vgg16-folder")
    assert asked(at, "Dataset").value == "shades"


def test_its_own_images_to_validate_with_are_taken(
    open_page: OpenPage, import_pictures: ImportPictures, runs: Runs
) -> None:
    import_pictures(counts={"train": 5, "validation": 5, "test": 5})
    at = choose(show(open_page(TRAIN), EVERYTHING), "Dataset", "shades")
    assert asked(at, "Watch while training").value == "own"
    assert "its validation images" in asked(at, "Watch while training").options
    assert launched(at, runs).config.data.validation == "own"


def test_class_weights_by_hand_are_as_many_as_its_classes(
    open_page: OpenPage, import_pictures: ImportPictures
) -> None:
    import_pictures()
    at = choose(show(open_page(TRAIN), EVERYTHING), "Class weights", "by hand")
    assert asked(at, "Weight of each class").value.count("1") == 10
    at = choose(at, "Dataset", "shades")
    assert asked(at, "Class weights").value == "none"
    at = choose(at, "Class weights", "by hand")
    assert asked(at, "Weight of each class").value == "1, 1"


@pytest.mark.parametrize(
    ("size", "recipe"),
    [(30, "cnn-digits"), (100, "vgg16-few-pictures")],
    ids=["small", "few photographs"],
)
def test_an_address_names_a_dataset_and_a_recipe_follows_from_its_size(
    open_page: OpenPage, import_pictures: ImportPictures, size: int, recipe: str
) -> None:
    import_pictures(size=size)
    at = open_page(TRAIN, dataset="shades")
    assert asked(at, "Recipe").value == recipe
    assert asked(at, "Dataset").value == "shades"
    assert "dataset" not in at.query_params


@pytest.mark.parametrize(
    ("last", "recipe"),
    [("vgg16-folder", "vgg16-folder"), ("vgg16-digits", "vgg16-few-pictures")],
)
def test_few_photographs_keep_a_recipe_that_is_for_ones_own_pictures(
    open_page: OpenPage, import_pictures: ImportPictures, last: str, recipe: str
) -> None:
    import_pictures(size=100)
    at = choose(open_page(TRAIN), "Recipe", last)
    at.query_params["dataset"] = "shades"
    assert asked(at.run(), "Recipe").value == recipe


def test_a_dataset_of_an_address_that_is_not_there_is_told(
    open_page: OpenPage, import_pictures: ImportPictures
) -> None:
    import_pictures()
    at = open_page(TRAIN, dataset="<b>gone</b>")
    assert not at.exception
    assert "there is no imported dataset" in plain(at.warning[0].value).lower()
    assert asked(at, "Recipe").value == "cnn-digits"


def test_a_dataset_that_was_deleted_meanwhile_is_told(
    open_page: OpenPage, import_pictures: ImportPictures, workspace: Workspace
) -> None:
    import_pictures()
    at = open_page(TRAIN, dataset="shades")
    Library(workspace).delete("shades")
    at.run()
    assert not at.exception
    assert "shades (not there)" in asked(at, "Dataset").options
    assert "must name a dataset that there is" in plain(at.error[0].value)


def test_settings_of_a_run_whose_dataset_changed_say_so_with_a_way_back(
    open_page: OpenPage, import_pictures: ImportPictures, runs: Runs, workspace: Workspace
) -> None:
    about = import_pictures().about
    settings = {"data.name": "shades", "data.fingerprint": about.fingerprint, "channels": 3}
    run = runs.create(change(RECIPES["cnn-digits"].config, settings))
    Library(workspace).delete("shades")
    import_pictures(seed=1)
    at = open_page(TRAIN, **{"from": run.id})
    assert "which holds other images now" in plain(at.error[0].value)
    at.button(key="cnn-digits.reset.data.fingerprint").click()
    at.run()
    assert not at.error


def test_handwriting_is_for_digits_only(
    open_page: OpenPage, import_pictures: ImportPictures
) -> None:
    import_pictures()
    import_pictures("mine", alike=True, grey=True, size=28, digits=True)
    at = choose(show(open_page(TRAIN), EVERYTHING), "Dataset", "shades")
    assert "My handwriting" not in [toggle.label for toggle in at.toggle]
    at = choose(at, "Dataset", "mine")
    assert "My handwriting" in [toggle.label for toggle in at.toggle]
