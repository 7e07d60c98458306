import json
import shutil
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from statsmodels.stats.proportion import proportion_confint
from streamlit.testing.v1 import AppTest

from core.handwriting.handwriting import Handwriting
from core.handwriting.handwriting_exchange import export_zip
from core.registry.predictions import read_predictions
from core.registry.runs import Runs
from core.workspace import Workspace

OpenPage = Callable[..., AppTest]
PREDICT = "pages/5_Predict.py"
KEPT = 12
"""Samples: the first test images, which the trained network was tested on too."""


@pytest.fixture
def handwriting(trained: Runs, mnist: dict[str, NDArray[np.uint8]]) -> Iterator[Handwriting]:
    samples = Handwriting(trained.workspace)
    for digit, label in zip(mnist["x_test"][:KEPT], mnist["y_test"][:KEPT].tolist(), strict=True):
        samples.save(digit, label, picture=digit, source="drawn" if label else "uploaded")
    yield samples
    shutil.rmtree(trained.workspace.handwriting)
    for run in trained.all():
        shutil.rmtree(run.folder.handwriting, ignore_errors=True)


@pytest.fixture
def opened(open_page: OpenPage, handwriting: Handwriting) -> AppTest:
    at = open_page(PREDICT, mode="handwriting")
    assert not at.exception
    return at


def gallery(at: AppTest) -> dict[str, Any]:
    """What the gallery was sent."""
    protos = [element.proto for element in at.get("bidi_component")]
    sent = [json.loads(proto.json) for proto in protos if proto.json]
    (found,) = [data for data in sent if "captions" in data]
    return found


def meant(at: AppTest) -> list[int]:
    """What the samples of the gallery were meant to be."""
    return [int(caption[0][0].removeprefix("meant ")) for caption in gallery(at)["captions"]]


def pills(at: AppTest, key: str) -> Any:
    return next(group for group in at.pills if (group.key or "").startswith(key))


def told(at: AppTest) -> str:
    return "\n".join(element.value for element in at.markdown)


def test_without_samples_the_way_to_the_first_is_shown(open_page: OpenPage, trained: Runs) -> None:
    at = open_page(PREDICT, mode="handwriting")
    assert not at.exception
    assert any("Nothing is kept yet" in caption.value for caption in at.caption)


def test_each_network_is_asked_and_its_score_is_that_of_its_stored_predictions(
    opened: AppTest, trained: Runs
) -> None:
    (table,) = opened.dataframe
    right = int(read_predictions(trained.find("little")).correct[:KEPT].sum())
    low, high = proportion_confint(right, KEPT, method="wilson")
    for row in table.value.to_dict("records"):
        assert row["Right"] == f"{right} of {KEPT}"
        assert row["On your handwriting"] == pytest.approx(100 * right / KEPT)
        assert row["Interval"] == f"95 %: {100 * low:.2f} to {100 * high:.2f} %"
    assert set(table.value["Run"]) == {"little", "its twin <b>*"}


def test_the_samples_are_shown_newest_first_with_what_the_network_says(
    opened: AppTest, handwriting: Handwriting, trained: Runs
) -> None:
    labels, said = handwriting.read().labels, read_predictions(trained.find("little")).classes
    assert meant(opened) == labels[::-1].tolist()
    taken_for = [int(caption[1][0].split(" ")[0]) for caption in gallery(opened)["captions"]]
    assert taken_for == said[:KEPT][::-1].tolist()


def test_filters_leave_one_digit_or_one_source(opened: AppTest, handwriting: Handwriting) -> None:
    pills(opened, "handwriting_labels").set_value([7]).run()
    assert set(meant(opened)) == {7}
    pills(opened, "handwriting_labels").set_value([]).run()
    opened.selectbox(key="handwriting_source").set_value("uploaded").run()
    assert set(meant(opened)) == {0}


def test_only_mistakes_are_those_the_network_gets_wrong(
    opened: AppTest, handwriting: Handwriting, trained: Runs
) -> None:
    opened.checkbox(key="handwriting_mistakes").check().run()
    wrong = ~read_predictions(trained.find("little")).correct[:KEPT]
    assert meant(opened) == handwriting.read().labels[wrong][::-1].tolist()


def test_a_sample_is_relabelled_and_every_score_follows(
    opened: AppTest, handwriting: Handwriting, trained: Runs
) -> None:
    newest = handwriting.read().samples[-1]
    said = int(read_predictions(trained.find("little")).classes[KEPT - 1])
    before = opened.dataframe[0].value["On your handwriting"][0]
    pills(opened, "label_").set_value((said + 1) % 10).run()
    assert not opened.exception
    assert handwriting.sample(newest.id).label == (said + 1) % 10
    right_before = newest.label == said
    after = opened.dataframe[0].value["On your handwriting"][0]
    assert after == pytest.approx(before - (100 / KEPT if right_before else 0))


def test_a_sample_is_deleted_and_comes_back(opened: AppTest, handwriting: Handwriting) -> None:
    next(button for button in opened.button if button.label == "Delete").click().run()
    assert not opened.exception
    assert len(handwriting.read()) == KEPT - 1
    assert "1 sample moved to the trash" in told(opened)
    opened.button(key="undelete").click().run()
    assert len(handwriting.read()) == KEPT
    assert "trash" not in told(opened)


def test_a_damaged_sample_is_named_and_hides_no_other(
    open_page: OpenPage, handwriting: Handwriting, trained: Runs
) -> None:
    oldest = handwriting.read().samples[0]
    (trained.workspace.handwriting / "samples" / oldest.id / "sample.json").write_text("{")
    at = open_page(PREDICT, mode="handwriting")
    assert not at.exception
    assert oldest.id in at.warning[0].value
    assert len(meant(at)) == KEPT - 1
    next(b for b in at.button if b.label == "Move the damaged to the trash").click().run()
    assert not at.warning


def test_an_exported_zip_is_brought_in_elsewhere_with_a_report(
    open_page: OpenPage, handwriting: Handwriting, workspace: Workspace, opened: AppTest
) -> None:
    file = BytesIO()
    export_zip(handwriting, handwriting.read(), file)
    handwriting.delete([sample.id for sample in handwriting.read().samples[:3]])
    opened.run()
    uploader = next(u for u in opened.file_uploader if u.label == "A ZIP that was exported here")
    uploader.upload("handwriting.zip", file.getvalue(), "application/zip").run()
    assert not opened.exception
    assert opened.success[0].value == f"3 samples brought in; {KEPT - 3} were here already."
    assert len(handwriting.read()) == KEPT


def test_a_file_that_is_no_zip_is_told(opened: AppTest, handwriting: Handwriting) -> None:
    uploader = next(u for u in opened.file_uploader if u.label == "A ZIP that was exported here")
    uploader.upload("handwriting.zip", b"not a ZIP", "application/zip").run()
    assert not opened.exception
    assert len(opened.error) == 1


def test_a_network_that_cannot_be_asked_is_told_and_not_asked_again_and_again(
    open_page: OpenPage, handwriting: Handwriting, trained: Runs
) -> None:
    little = trained.find("little")
    lost = trained.create(little.config, "lost its weights")
    lost.write_state(status="finished", best_epoch=1, metrics=little.state.metrics)
    try:
        at = open_page(PREDICT, mode="handwriting")
        assert not at.exception
        assert "could not be asked" in at.warning[0].value
        assert len(at.dataframe[0].value) == 2
        assert "Ask now" in [button.label for button in at.button]
    finally:
        trained.delete(lost)


def test_a_run_is_launched_that_learns_from_the_samples(
    open_page: OpenPage,
    runs: Runs,
    workspace: Workspace,
    mnist: dict[str, NDArray[np.uint8]],
) -> None:
    samples = Handwriting(workspace)
    for digit, label in zip(mnist["x_test"][:3], mnist["y_test"][:3].tolist(), strict=True):
        samples.save(digit, label, picture=digit)
    at = open_page("pages/2_Train.py")
    next(group for group in at.segmented_control if "Everything" in group.options).set_value(
        "Everything"
    ).run()
    next(toggle for toggle in at.toggle if toggle.label == "My handwriting").set_value(True).run()
    assert not at.exception
    assert any("My handwriting has 3 samples now" in caption.value for caption in at.caption)
    next(button for button in at.button if button.label == "Launch").click().run()
    assert not at.error
    data = runs.all()[0].config.data
    assert data.handwriting
    assert data.handwriting_samples == samples.read().fingerprint
