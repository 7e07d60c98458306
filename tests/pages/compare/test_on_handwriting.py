import shutil
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from core.handwriting.handwriting import Handwriting
from core.registry.predictions import read_predictions
from core.registry.run import Run
from core.registry.runs import Runs
from tests.pages.compare.conftest import COMPARE, OpenPage, gallery, markdown, metrics, show, words

KEPT = 12
"""Samples: the first test images, which the trained network was tested on too."""


@pytest.fixture
def pair(trained: Runs, mnist: dict[str, NDArray[np.uint8]]) -> Iterator[tuple[Run, Run]]:
    """A trained network and its twin, whose weights have their sign changed; and samples."""
    samples = Handwriting(trained.workspace)
    for digit, label in zip(mnist["x_test"][:KEPT], mnist["y_test"][:KEPT].tolist(), strict=True):
        samples.save(digit, label, picture=digit)
    little = trained.find("little")
    other = trained.create(little.config, "turned")
    for part in ("model", "predictions"):
        shutil.copytree(little.folder.path / part, other.folder.path / part)
    with np.load(little.folder.weights(1)) as arrays:
        np.savez(other.folder.weights(1), **{name: -array for name, array in arrays.items()})
    other.write_state(**{key: value for key, value in little.state if key != "queued"})
    yield little, other
    trained.delete(other)
    shutil.rmtree(trained.workspace.handwriting)


@pytest.fixture
def opened(open_page: OpenPage, pair: tuple[Run, Run]) -> AppTest:
    at = open_page(COMPARE, on="handwriting", a=pair[0].id, b=pair[1].id)
    assert not at.exception
    return at


def test_both_are_compared_on_the_samples(opened: AppTest, pair: tuple[Run, Run]) -> None:
    right = read_predictions(pair[0]).correct[:KEPT].mean()
    assert metrics(opened)["A · little"] == f"{100 * right:.2f} %"
    show(opened, "all")
    assert len(words(opened)) == KEPT
    assert opened.query_params["on"] == "handwriting"


def test_what_only_test_images_have_is_left_out(opened: AppTest) -> None:
    views = next(group for group in opened.button_group if group.key == "compare_view")
    assert not any("Map" in option or "Epochs" in option for option in views.options)
    assert any("Epochs and Map" in caption.value for caption in opened.caption)


def test_a_link_with_a_list_of_epochs_or_an_outline_shows_all_samples(
    open_page: OpenPage, pair: tuple[Run, Run]
) -> None:
    parts = {"list": "never_b", "outline": "0 0_0 1_1 1", "map": "pca_a", "show": "all"}
    at = open_page(COMPARE, on="handwriting", a=pair[0].id, b=pair[1].id, view="map", **parts)
    assert not at.exception
    assert len(gallery(at)["captions"]) == KEPT


def test_a_sample_is_tagged_apart_from_test_images(opened: AppTest) -> None:
    assert any("Handwriting sample" in text for text in markdown(opened))
    next(b for b in opened.button if b.label.endswith("wrong label")).click().run()
    assert not opened.exception
    assert "wrong label" in gallery(opened)["marks"][0]
    next(g for g in opened.segmented_control if g.key == "compare_on").set_value("tested").run()
    assert not opened.exception
    assert set(gallery(show(opened, "all"))["marks"]) == {""}
    assert "on" not in opened.query_params


def test_a_changed_sample_changes_the_comparison(
    opened: AppTest, pair: tuple[Run, Run], trained: Runs
) -> None:
    before = metrics(opened)["A · little"]
    samples = Handwriting(trained.workspace)
    right = np.flatnonzero(read_predictions(pair[0]).correct[:KEPT])[0]
    sample = samples.read().samples[right]
    samples.relabel(sample.id, (sample.label + 1) % 10)
    opened.run()
    after = metrics(opened)["A · little"]
    assert float(after[:-2]) == pytest.approx(float(before[:-2]) - 100 / KEPT, abs=0.01)


def test_without_samples_a_link_says_so_and_compares_on_test_images(
    open_page: OpenPage, two: tuple[Run, Run]
) -> None:
    at = open_page(COMPARE, on="handwriting", a=two[0].id, b=two[1].id)
    assert not at.exception
    assert "no handwriting to compare on yet" in at.info[0].value
    assert len(words(at)) == 6
