import json
import struct
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.feature_space.background import Background, Work
from core.feature_space.outline import within
from core.feature_space.space import FeatureSpace, Map
from core.processes import this_process
from core.registry.run import Run
from core.workspace import Workspace
from tests.pages.compare.conftest import COMPARE, OpenPage, gallery, markdown, words

PLACES = np.stack([np.arange(40), np.arange(40) % 7], axis=1).astype(np.float32)
SQUARE = ((9.5, -1.0), (15.5, -1.0), (15.5, 9.0), (9.5, 9.0))
"""Holds images 10 to 15."""


def keep_weights(run: Run) -> None:
    run.folder.model.mkdir(exist_ok=True)
    np.savez(run.folder.weights(1), nothing=np.zeros(1))


@pytest.fixture
def spaces(workspace: Workspace, two: tuple[Run, Run]) -> tuple[FeatureSpace, FeatureSpace]:
    """The features of both runs, whose weights were kept, with nothing computed of them."""
    for run in two:
        keep_weights(run)
    a, b = (FeatureSpace(workspace, run, 1) for run in two)
    return a, b


@pytest.fixture
def mapped(spaces: tuple[FeatureSpace, FeatureSpace]) -> tuple[FeatureSpace, FeatureSpace]:
    """The same with a PCA map of A."""
    spaces[0].keep_test(iter([PLACES]), 40, 2, None)
    spaces[0].keep_map("pca", Map(PLACES, (0.5, 0.25)))
    return spaces


def open_map(open_page: OpenPage, two: tuple[Run, Run], **parameters: str) -> AppTest:
    at = open_page(COMPARE, a=two[0].id, b=two[1].id, view="map", **parameters)
    assert not at.exception
    return at


def map_sent(at: AppTest) -> dict[str, Any]:
    """The head of what the map was sent."""
    found = [element.proto.bytes for element in at.get("bidi_component") if element.proto.bytes]
    heads = [json.loads(sent[4 : 4 + struct.unpack_from("<I", sent)[0]]) for sent in found]
    (head,) = [head for head in heads if "bounds" in head]
    return head


def draw(at: AppTest) -> AppTest:
    """Draw the square on the PCA map of A."""
    at.session_state["feature_map_pca_a"] = {"outlined": [map_sent(at)["tag"], SQUARE]}
    at.run()
    del at.session_state["feature_map_pca_a"]  # a browser says so only once
    return at


def test_what_is_not_computed_is_offered(
    open_page: OpenPage, two: tuple[Run, Run], spaces: tuple[FeatureSpace, FeatureSpace]
) -> None:
    at = open_map(open_page, two)
    assert any("The PCA map of A is not computed yet" in text.value for text in at.markdown)
    assert "Compute it for A" in [button.label for button in at.button]


def test_weights_that_were_not_kept_are_told(open_page: OpenPage, two: tuple[Run, Run]) -> None:
    at = open_map(open_page, two)
    assert any("the weights of this run are not there" in info.value for info in at.info)


def test_the_map_shows_every_image_and_says_how_much_it_holds(
    open_page: OpenPage, two: tuple[Run, Run], mapped: object
) -> None:
    at = open_map(open_page, two)
    assert map_sent(at)["count"] == 40
    assert [name for name, _ in map_sent(at)["groups"]] == [
        "Both right",
        "Only A right",
        "Only B right",
        "Both wrong",
    ]
    assert "they hold 75 % of what varies" in map_sent(at)["heading"][1]


@pytest.mark.parametrize(
    ("coloring", "groups"),
    [("class", list("0123456789")), ("confidence", ["99 % to 100 %", "95 % to 99 %"])],
)
def test_points_can_be_coloured_otherwise(
    open_page: OpenPage, two: tuple[Run, Run], mapped: object, coloring: str, groups: list[str]
) -> None:
    at = open_map(open_page, two, features=f"pca_a_{coloring}")
    assert [name for name, _ in map_sent(at)["groups"]][: len(groups)] == groups


def test_an_outline_has_its_images_in_the_gallery(
    open_page: OpenPage, two: tuple[Run, Run], mapped: object
) -> None:
    at = draw(open_map(open_page, two))
    assert len(words(at)) == np.count_nonzero(within(PLACES, SQUARE)) == 6
    assert (at.query_params["map"], at.query_params["show"]) == ("pca_a", "all")
    assert map_sent(at)["outline"] == [list(corner) for corner in SQUARE]


def test_a_link_with_an_outline_shows_the_same_images(
    open_page: OpenPage, two: tuple[Run, Run], mapped: object
) -> None:
    at = draw(open_map(open_page, two))
    address = {name: at.query_params[name] for name in at.query_params}
    assert gallery(open_page(COMPARE, **address))["captions"] == gallery(at)["captions"]


def test_an_outline_can_be_cleared(
    open_page: OpenPage, two: tuple[Run, Run], mapped: object
) -> None:
    at = draw(open_map(open_page, two))
    at.button(key="map_clear").click().run()
    assert len(words(at)) == 40
    assert "outline" not in at.query_params


def test_an_outline_on_a_map_that_is_not_there_is_told(
    open_page: OpenPage, two: tuple[Run, Run], spaces: object
) -> None:
    at = open_map(open_page, two, map="tsne_b", outline="0 0_1 0_0 1", show="all")
    assert any("was drawn on the t-SNE map of B" in warning.value for warning in at.warning)
    assert len(words(at)) == 40


def test_a_click_looks_at_an_image(
    open_page: OpenPage, two: tuple[Run, Run], mapped: object
) -> None:
    at = open_map(open_page, two)
    at.session_state["feature_map_pca_a"] = {"clicked": [map_sent(at)["tag"], 33]}
    at.run()
    assert any(text.startswith("**Test image 33**") for text in markdown(at))
    assert map_sent(at)["marked"] == 33


def test_only_the_images_of_the_gallery_can_stand_out(
    open_page: OpenPage, two: tuple[Run, Run], mapped: object
) -> None:
    at = open_map(open_page, two)
    assert map_sent(at)["all_alike"]
    at.toggle(key="map_gallery").set_value(True).run()
    assert not map_sent(at)["all_alike"]


def test_how_far_the_work_is_can_be_seen_and_cancelled(
    open_page: OpenPage, two: tuple[Run, Run], spaces: tuple[FeatureSpace, FeatureSpace]
) -> None:
    background = Background(spaces[0])
    spaces[0].folder.mkdir(parents=True)
    background.tell(Work(process=this_process(), phase="features of test images", done=4, total=40))
    at = open_map(open_page, two)
    (progress,) = at.get("progress")
    assert progress.proto.text == "A: features of test images, 4 of 40"
    assert "Cancel" in [button.label for button in at.button]


def test_what_went_wrong_is_told_with_a_way_on(
    open_page: OpenPage, two: tuple[Run, Run], spaces: tuple[FeatureSpace, FeatureSpace]
) -> None:
    background = Background(spaces[0])
    spaces[0].folder.mkdir(parents=True)
    background.tell(Work(process=this_process(), ended=True, failure="The disk is full."))
    at = open_map(open_page, two)
    assert [error.value for error in at.error] == ["The disk is full\\."]
    assert "Start again" in [button.label for button in at.button]


def test_what_a_link_asks_for_and_is_not_known_is_the_first_map(
    open_page: OpenPage, two: tuple[Run, Run], mapped: object
) -> None:
    at = open_map(open_page, two, features="umap_c_size")
    assert [axis[:3] for axis in map_sent(at)["axes"]] == ["1st", "2nd"]
    assert map_sent(at)["heading"][1].count("features of A") == 1
