import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.registry.predictions import epoch_path
from core.registry.run import Run
from core.registry.runs import Runs
from tests.pages.compare.conftest import COMPARE, OpenPage


def look(open_page: OpenPage, a: Run, b: Run, aspect: str, **parameters: str) -> AppTest:
    """One aspect of an image that the networks, if they differ, take for different classes."""
    at = open_page(COMPARE, a=a.id, b=b.id, **parameters)
    at.segmented_control(key="aspect").set_value(aspect)
    return rerun(at)


def rerun(at: AppTest) -> AppTest:
    at.run()
    assert not at.exception
    return at


def pictures(at: AppTest) -> list[str]:
    """What is said of each picture to who cannot see it."""
    return [text for html in at.html for text in re.findall('<img[^>]* alt="([^"]*)"', html.value)]


def headings(at: AppTest) -> list[str]:
    """The class that each network is asked about, with its probability."""
    return [text for html in at.html for text in re.findall("<b>(.*?)</b>", html.value)]


def captions(at: AppTest) -> str:
    return "\n".join(caption.value.replace("\\", "") for caption in at.caption)


@pytest.fixture
def little(trained: Runs) -> tuple[Run, Run]:
    """A network that was really trained, and its twin."""
    return trained.find("little"), trained.find("its twin <b>*")


def test_both_networks_are_explained_for_what_each_said(
    open_page: OpenPage, little: tuple[Run, Run]
) -> None:
    at = look(open_page, *little, "Why", image="3")
    asked, twin = headings(at)[-2:]
    gave, said = asked.split(" for ")
    assert said in little[0].config.class_names and gave.endswith(" %")
    assert twin == asked
    assert pictures(at)[-2:] == [
        f"Grad-CAM of {letter} for {said}, test image 3" for letter in ("A", "B")
    ]
    assert "block2_conv2, 14 × 14 fields" in captions(at)


def test_any_class_can_be_explained_by_any_layer_and_by_covering(
    open_page: OpenPage, little: tuple[Run, Run]
) -> None:
    at = look(open_page, *little, "Why", image="3")
    offered = at.selectbox(key="explained_class").options
    assert offered[0] == "What each network said" and "the truth" in offered[1]
    assert len(offered) == 11
    at.segmented_control(key="explained_layer").set_value("Finer")
    rerun(at)
    assert "block1_conv2, 28 × 28 fields" in captions(at)
    at.selectbox(key="explained_class").set_value(7)
    at.segmented_control(key="explained_by").set_value("Occlusion")
    rerun(at)
    assert pictures(at)[-1] == "Occlusion of B for 7, test image 3"
    assert "covered with 6 × 6 pixels of its background, in 14 × 14 places" in captions(at)


def results(run: Run) -> dict[str, Any]:
    """The state of a run, for another that came to the same."""
    return {key: value for key, value in run.state if key != "queued"}


@pytest.fixture
def damaged(trained: Runs) -> Iterator[Run]:
    """A run that was tested, of whose weights half a file is left."""
    little = trained.find("little")
    run = trained.create(little.config, "damaged")
    shutil.copytree(little.folder.predictions, run.folder.predictions)
    run.folder.model.mkdir()
    run.folder.weights(1).write_bytes(b"half a file")
    yield run.write_state(**results(little))
    trained.delete(run)


def test_what_cannot_be_loaded_is_told_and_the_other_network_is_explained(
    open_page: OpenPage, little: tuple[Run, Run], damaged: Run
) -> None:
    at = look(open_page, damaged, little[1], "Why", image="3")
    (told,) = [warning.value.replace("\\", "") for warning in at.warning]
    assert told.startswith("Epoch-1.npz of the run 'damaged' cannot be read")
    assert pictures(at)[-1].startswith("Grad-CAM of B")


def told(at: AppTest) -> list[str]:
    """What is said of networks that cannot be asked."""
    words = [info.value.replace("\\", "") for info in at.info]
    return [text for text in words if "cannot be asked" in text]


def test_a_run_without_weights_says_so_and_loads_nothing(
    open_page: OpenPage, two: tuple[Run, Run]
) -> None:
    at = look(open_page, *two, "Why")
    for letter, text in zip(("A", "B"), told(at), strict=True):
        assert text.startswith(f"{letter} cannot be asked: the weights of this run are not there")
    assert not [picture for picture in pictures(at) if "Grad-CAM" in picture]


@pytest.fixture
def partly_kept(trained: Runs) -> Iterator[Run]:
    """A run with four epochs, the weights of the last two of which were kept."""
    little = trained.find("little")
    run = trained.create(little.config, "four epochs")
    shutil.copytree(little.folder.predictions, run.folder.predictions)
    run.folder.model.mkdir()
    for epoch in (2, 3, 4):
        shutil.copy(
            epoch_path(little.folder.predictions, 1), epoch_path(run.folder.predictions, epoch)
        )
    for epoch in (3, 4):
        shutil.copy(little.folder.weights(1), run.folder.weights(epoch))
    yield run.write_state(**results(little))
    trained.delete(run)


def test_an_epoch_whose_weights_were_not_kept_leads_to_one_that_was(
    open_page: OpenPage, little: tuple[Run, Run], partly_kept: Run
) -> None:
    at = look(open_page, partly_kept, little[1], "Why", ea="2", image="7")
    assert told(at) == [
        "A cannot be asked after epoch 2: of this run the weights of epochs 3 and 4 were kept. "
        "Look at one of those, or train it again with a higher “Best epochs to keep”."
    ]
    (button,) = [button for button in at.button if button.label == "Look at A after epoch 3"]
    button.click()
    rerun(at)
    assert at.select_slider(key="epoch_a").value == 3
    assert pictures(at)[-2].startswith("Grad-CAM of A") and pictures(at)[-2].endswith("image 7")


def test_each_network_is_shown_as_it_is_fed(open_page: OpenPage, two: tuple[Run, Run]) -> None:
    at = look(open_page, *two, "As fed", image="7")
    assert headings(at)[-2:] == ["28 × 28, grey", "48 × 48, 3 channels"]
    assert pictures(at)[-2:] == [f"Test image 7 as {letter} is fed it" for letter in ("A", "B")]
    assert "As it is in the dataset. Within, every value is divided by 255" in captions(at)
    assert "Enlarged from 28 × 28 pixels, its grey in all three channels." in captions(at)
