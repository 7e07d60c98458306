"""Data's pixels and classes: what they are like, other names for them, and deleting a dataset."""

import json
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from core.data.data_config import DataConfig
from core.data.datasets import settle
from core.imported.dataset import ImportedDataset
from core.imported.library import Library
from core.registry.recipes import RECIPES
from core.registry.runs import Runs
from core.workspace import Workspace

OpenPage = Callable[..., AppTest]
ImportPictures = Callable[..., ImportedDataset]
DATA = "pages/1_Data.py"


def rename(at: AppTest, names: dict[int, str], generation: int = 0) -> AppTest:
    """Write names into the table, by label."""
    edited = {label: {"Name": name} for label, name in names.items()}
    at.session_state[f"data_class_names_shades_{generation}"] = {
        "edited_rows": edited,
        "added_rows": [],
        "deleted_rows": [],
    }
    return at.run()


def save(at: AppTest) -> AppTest:
    return next(button for button in at.button if button.label.startswith("Save")).click().run()


def test_the_statistics_of_mnist_are_those_that_are_known(open_page: OpenPage) -> None:
    at = open_page(DATA, dataset="mnist", view="pixels")
    assert not at.exception
    table = at.dataframe[0].value
    assert table["Mean, 0 to 1"][0] == "0.1307"
    assert table["Deviation, 0 to 1"][0] == "0.3081"


def test_thumbnails_are_measured_where_files_are_kept(
    open_page: OpenPage, import_pictures: ImportPictures
) -> None:
    dataset = import_pictures()
    table = open_page(DATA, view="pixels").dataframe[0].value
    train: list[NDArray[np.uint8]] = [
        dataset.picture(int(position)).reshape(-1, 3) for position in dataset.positions("train")
    ]  # thumbnails of such small pictures are the pictures
    means = np.concatenate(train).mean(axis=0)
    assert table["Mean, 0 to 255"][:3].tolist() == [f"{mean:.1f}" for mean in means]


def test_a_click_on_a_mean_image_shows_the_images_of_its_class(
    open_page: OpenPage, import_pictures: ImportPictures
) -> None:
    import_pictures(alike=True)
    at = open_page(DATA, view="pixels")
    sent = [element.proto.json for element in at.get("bidi_component")]
    (means,) = [json.loads(text) for text in sent if "captions" in text]
    assert means["captions"][1][1][0] == "of 10"
    at.session_state["data_class_means"] = {"selected": [means["tag"], 1]}
    at.run()
    assert at.query_params["view"] == "pictures"
    assert at.query_params["class"] == "1"


def test_classes_get_other_names(open_page: OpenPage, import_pictures: ImportPictures) -> None:
    dataset = import_pictures()
    at = open_page(DATA, view="classes")
    assert next(button for button in at.button if button.label == "Save").disabled
    save(rename(at, {0: "  night   sky "}))
    assert not at.exception
    again = ImportedDataset(dataset.folder)
    assert again.about.class_names == ("night sky", "light")
    assert again.about.fingerprint == dataset.about.fingerprint


def test_a_name_that_is_taken_is_refused_and_nothing_changes(
    open_page: OpenPage, import_pictures: ImportPictures
) -> None:
    dataset = import_pictures()
    at = save(rename(open_page(DATA, view="classes"), {0: "light"}))
    assert "Each class must have a name of its own" in at.error[0].value
    assert ImportedDataset(dataset.folder).about.class_names == ("dark", "light")


def test_deleting_names_the_runs_that_learned_from_the_dataset(
    open_page: OpenPage, import_pictures: ImportPictures, runs: Runs, workspace: Workspace
) -> None:
    import_pictures()
    data = settle(DataConfig(name="shades"), workspace)
    runs.create(RECIPES["cnn-digits"].config.model_copy(update={"data": data}), "*mine*")
    at = open_page(DATA, view="classes")
    next(button for button in at.button if button.label == "Delete the dataset").click().run()
    assert "1 run learned from it: \\*mine\\*" in at.warning[0].value


def test_a_deleted_dataset_is_gone_and_another_is_shown(
    open_page: OpenPage, import_pictures: ImportPictures, workspace: Workspace
) -> None:
    import_pictures()
    at = open_page(DATA, view="classes")
    Library(workspace).delete("shades")
    at.run()
    assert not at.exception
    assert at.query_params["dataset"] == "mnist"


def test_the_names_of_a_built_in_dataset_are_fixed(open_page: OpenPage) -> None:
    at = open_page(DATA, dataset="mnist", view="classes")
    assert at.dataframe[0].value["Training"][0] == 5923
    assert not any(button.label == "Delete the dataset" for button in at.button)
