import html
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from core.registry import samples
from core.registry.run import Run
from core.registry.run_files import Failure
from core.registry.runs import Runs

OpenPage = Callable[..., AppTest]
MakeTrained = Callable[..., Run]
MakeRunning = Callable[[], Run]
ImportPictures = Callable[..., object]
LAUNCH_CNN, LAUNCH_VGG16 = "Launch cnn-digits", "Launch vgg16-digits"


def written(at: AppTest) -> str:
    """All HTML of the page."""
    assert not at.exception
    return "\n".join(element.proto.body for element in at.get("html"))


def text(at: AppTest) -> str:
    """What of it is read."""
    return html.unescape(re.sub(r"<[^>]*>", " ", written(at)))


def buttons(at: AppTest) -> list[str]:
    return [button.label for button in at.button if button.label.startswith(("Launch", "Bring"))]


def cards(at: AppTest) -> str:
    return "\n".join(markdown.value for markdown in at.markdown)


@pytest.fixture
def both(make_trained: MakeTrained, mnist: dict[str, NDArray[np.uint8]]) -> tuple[Run, Run]:
    """A CNN that is wrong on two of forty images, and a VGG16 that is wrong on twelve others."""
    others = {place: (int(mnist["y_test"][place]) + 1) % 10 for place in range(20, 32)}
    cnn = make_trained("small <b>*", {0: 1, 1: 3})
    vgg = make_trained("large", others, recipe="vgg16-digits")
    return cnn, vgg


def test_an_empty_workspace_says_where_to_begin(open_page: OpenPage) -> None:
    at = open_page()
    assert "Does a general network beat one built for the task?" in text(at)
    assert "No answer yet." in text(at)
    assert buttons(at) == ["Bring in the sample runs", LAUNCH_CNN, LAUNCH_VGG16]


@pytest.mark.usefixtures("runners_may_begin")
def test_opening_a_page_makes_no_workspace(open_page: OpenPage, tmp_path: Path) -> None:
    open_page()
    assert list(tmp_path.iterdir()) == []


def test_a_launch_takes_one_click(open_page: OpenPage, runs: Runs) -> None:
    at = open_page()
    next(button for button in at.button if button.label == LAUNCH_CNN).click().run()
    assert [(run.name, run.status) for run in runs.all()] == [("cnn-digits", "queued")]
    assert LAUNCH_CNN not in buttons(at)
    assert "Training now" in [header.value for header in at.subheader]
    assert at.get("progress")[0].proto.text == "Waiting: it is the next to begin."


def test_a_side_that_is_missing_can_be_launched(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    make_trained()
    at = open_page()
    assert "One side is missing: a network that was carried over." in text(at)
    assert buttons(at) == [LAUNCH_VGG16]


@pytest.mark.usefixtures("both")
def test_the_answer_is_told_with_what_it_rests_on(open_page: OpenPage) -> None:
    read = text(open_page())
    assert "No, not here." in read
    assert "small <b>* is better: 10 more images right out of 40" in read
    assert "On 40 test images of MNIST handwritten digits" in read
    for figure in ("95.00 %", "70.00 %", "all of its 887,530 parameters", "1 min 05 s"):
        assert figure in read


def test_what_may_be_chance_is_no_answer(open_page: OpenPage, make_trained: MakeTrained) -> None:
    make_trained(wrong={0: 1})
    make_trained(wrong={1: 3, 2: 4}, recipe="vgg16-digits")
    assert "Not decided: too close to tell." in text(open_page())


@pytest.mark.usefixtures("both")
def test_networks_trained_unlike_are_told_as_such(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    make_trained("longer", recipe="vgg16-digits", epochs_done=5)
    read = text(open_page())
    assert "Yes, here it does." not in read  # two images more may be chance
    assert "not trained alike: 1 epoch of all training images against 5 epochs" in read


@pytest.mark.usefixtures("both")
def test_a_third_network_that_beats_both_is_named(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    make_trained("longest", recipe="cnn-digits-augmented", epochs_done=30)
    assert re.search(r"Best so far:\s+longest\s*, 100.00 %", text(open_page()))


def test_pictures_show_the_answer_and_lead_to_compare(
    open_page: OpenPage, both: tuple[Run, Run]
) -> None:
    at = open_page()
    a, b = (run.id for run in both)
    links = re.findall(r'<a href="Compare\?([^"]*&amp;image=\d+)"', written(at))
    shown = [html.unescape(link).removeprefix(f"a={a}&b={b}&show=") for link in links]
    assert sum(link.startswith("only_a_right") for link in shown) == 8
    assert sorted(link for link in shown if "only_b" in link) == [
        "only_b_right&image=0",
        "only_b_right&image=1",
    ]
    alts = re.findall(r'<img[^>]* alt="([^"]*)" class="sharp"', written(at))
    assert html.unescape(alts[8]) == (
        "Test image 0: true 7; small <b>* took it for 1, large took it for 7"
    )


def test_a_name_is_shown_as_it_was_typed(open_page: OpenPage, make_trained: MakeTrained) -> None:
    make_trained("<b>**bold**</b> :red[x]")
    at = open_page()
    assert "<b>**" not in written(at)
    assert "<b>**bold**</b> :red[x]" in text(at)


def test_predictions_that_cannot_be_read_are_told_in_a_sentence(
    open_page: OpenPage, both: tuple[Run, Run]
) -> None:
    (both[0].folder.predictions / "epoch-1.npz").write_bytes(b"half a file")
    at = open_page()
    assert "they cannot be compared" in text(at)
    assert "cannot be read" in at.warning[0].value.replace("\\", "")


@pytest.mark.usefixtures("both")
def test_next_steps_suit_what_is_there(open_page: OpenPage) -> None:
    at = open_page()
    assert buttons(at) == []
    for step in ("See where they disagree", "Draw a digit", "Give large another chance"):
        assert step in cards(at)


def test_a_run_at_work_is_followed_and_can_be_stopped(
    open_page: OpenPage, make_running: MakeRunning
) -> None:
    run = make_running()
    at = open_page()
    assert "Training now" in [header.value for header in at.subheader]
    assert "batch 3 of 698" in at.get("progress")[0].proto.text
    at.button(key=f"overview_stop_{run.id}").click().run()
    assert run.folder.stop_request.exists()


def test_a_loss_that_fell_so_far_is_drawn(open_page: OpenPage, make_running: MakeRunning) -> None:
    make_running().write_state(curve=(2.3, 1.1, 0.52))
    assert "Training loss so far: 2.3 at first, 0.52 now" in written(open_page())


def test_the_latest_runs_tell_why_one_failed(
    open_page: OpenPage, runs: Runs, make_trained: MakeTrained
) -> None:
    for number in range(7):
        make_trained(f"run {number}")
    failure = Failure(kind="disk", sentence="The disk is full.", advice="Make room.")
    runs.all()[0].write_state(status="failed", error=failure, best_epoch=0)
    at = open_page()
    assert "See why run 6 ended" in cards(at)
    latest = written(at).partition('<ul class="runs">')[2]
    assert re.findall(r'"name">(run \d)<', latest) == [f"run {n}" for n in (6, 5, 4, 3, 2, 1)]
    assert "MNIST handwritten digits · The disk is full." in latest


def test_a_damaged_run_hides_nothing_and_is_told(
    open_page: OpenPage, make_trained: MakeTrained, damaged_folder: Path
) -> None:
    make_trained("whole")
    at = open_page()
    assert "whole" in text(at)
    assert at.warning[0].value.startswith("1 run cannot be read")


def test_imported_datasets_are_listed(open_page: OpenPage, import_pictures: ImportPictures) -> None:
    import_pictures("shades")
    assert re.search(r'href="Data\?dataset=shades".*shades.*>32<.*2 classes', written(open_page()))


def test_the_samples_answer_the_question(open_page: OpenPage, runs: Runs) -> None:
    samples.bring(runs)
    read = text(open_page())
    assert "No, not here." in read
    assert "both were trained on equally many images, equally long" in read
    assert "Best so far:" in read
