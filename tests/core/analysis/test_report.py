import re
import warnings
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from core.analysis.comparison import Comparison, compare
from core.analysis.confusion import Confusions
from core.analysis.images import Images
from core.analysis.report import MOST_CLASSES, MOST_ROWS, report, scores, settings_of_both
from core.analysis.telling import MOST, data_url, telling_pictures
from core.data.data_config import DataConfig
from core.registry.config import RunConfig
from core.registry.predictions import write_epoch, write_truth
from core.registry.run import Run
from core.registry.runs import Runs
from core.registry.settings import change
from core.training.metrics import append_event

MakeComparison = Callable[..., Comparison]
NASTY = '</td></svg><script>alert("1")</script><img src=x onerror=alert(1)>'


class Page(HTMLParser):
    """What an HTML reader makes of a report: its elements, its words, where it points to."""

    VOID = frozenset({"meta", "img", "link", "br", "hr", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.targets: list[str] = []
        self.handlers: list[str] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "srcset", "action", "data", "xlink:href"):
                self.targets.append(value or "")
            if name.startswith("on"):
                self.handlers.append(name)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words += data


@pytest.fixture
def make_comparison(runs: Runs, config: RunConfig, tmp_path: Path) -> MakeComparison:
    """A function that compares two made-up runs which took each image for a given class."""

    def make(
        a: Sequence[int],
        b: Sequence[int],
        labels: Sequence[int],
        classes: Sequence[str] = tuple("0123456789"),
        names: tuple[str, str] = ("one", "other"),
        sure: float = 0.9,
    ) -> Comparison:
        data = DataConfig(name="folder", path=str(tmp_path), classes=tuple(classes))
        made: list[Run] = []
        for name, said in zip(names, (a, b), strict=True):
            run = runs.create(config.model_copy(update={"data": data}), name)
            truth = np.array(labels, np.int64)
            rest = (1 - sure) / max(1, len(classes) - 1)
            probabilities = np.full((len(truth), len(classes)), rest, np.float16)
            probabilities[np.arange(len(truth)), said] = sure
            write_truth(run.folder.predictions, truth, np.arange(len(truth)) + 100, "one split")
            write_epoch(run.folder.predictions, 1, probabilities)
            made.append(run.write_state(status="finished", best_epoch=1))
        return compare(*made)

    return make


def pictures_of(comparison: Comparison, side: int = 28) -> NDArray[np.uint8]:
    return np.zeros((comparison.total, side, side), np.uint8)


def page_of(comparison: Comparison) -> Page:
    return Page(report(Images(comparison), pictures_of(comparison)))


def test_the_report_is_well_formed_and_asks_no_network_for_anything(
    make_comparison: MakeComparison,
) -> None:
    text = report(Images(c := make_comparison([0, 1, 2], [0, 1, 3], [0, 1, 2])), pictures_of(c))
    page = Page(text)
    assert page.open == []
    assert "script" not in page.tags and "link" not in page.tags
    assert page.targets and all(target.startswith("data:image/") for target in page.targets)
    assert not re.search(r"url\(|@import|https?:", text)


def test_it_tells_the_verdict_the_figures_and_the_outcomes(
    make_comparison: MakeComparison,
) -> None:
    words = page_of(make_comparison([0] * 80 + [1] * 20, [0] * 60 + [1] * 40, [0] * 100)).words
    flat = " ".join(words.split())
    assert "one is better: 20 more images right out of 100" in flat
    assert "80.00 %" in flat and "60.00 %" in flat and "+20.00 pp" in flat
    assert "Both right: 60 (60.00 %)" in flat and "Only A right: 20 (20.00 %)" in flat
    assert "0 taken for 1: A 20, B 40" in flat


def test_powers_of_ten_are_raised(make_comparison: MakeComparison) -> None:
    text = report(Images(c := make_comparison([0] * 100, [1] * 100, [0] * 100)), pictures_of(c))
    assert "1 in 10<sup>29</sup>" in text


def test_names_from_outside_stay_words(make_comparison: MakeComparison) -> None:
    classes = [NASTY, f'{NASTY} "2"', "<b>3"]
    names = ("<script>a</script>", "b & <i>c</i>")
    plain = page_of(make_comparison([0, 0, 1], [1, 1, 1], [0, 1, 2], "abc"))
    page = page_of(make_comparison([0, 0, 1], [1, 1, 1], [0, 1, 2], classes, names))
    assert sorted(page.tags) == sorted(plain.tags)
    assert page.open == [] and page.handlers == []
    assert names[0] in page.words and names[1] in page.words and NASTY in page.words


@pytest.mark.parametrize("classes", [1, 2, 100, 1000])
def test_any_number_of_classes_makes_a_report_of_moderate_size(
    make_comparison: MakeComparison, classes: int
) -> None:
    random = np.random.default_rng(0)
    labels, a, b = (random.integers(0, classes, 600).tolist() for _ in range(3))
    names = [f"class {number} " + "x" * 180 for number in range(classes)]
    compared = make_comparison(a, b, labels, names, sure=0.9)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        text = report(Images(compared), pictures_of(compared))
    page = Page(text)
    assert len(text) < 3_000_000
    assert page.tags.count("rect") == 3 * min(classes, MOST_CLASSES) ** 2
    assert page.tags.count("tr") >= min(classes, MOST_ROWS)


def test_the_scores_are_those_of_scikit_learn(make_comparison: MakeComparison) -> None:
    random = np.random.default_rng(1)
    labels, a, b = (random.integers(0, 10, 300) for _ in range(3))
    found = scores(Confusions.of(make_comparison(a.tolist(), b.tolist(), labels.tolist())))
    assert found["a"].f1 == pytest.approx(f1_score(labels, a, average=None))
    assert found["classes"] == list(range(10))


def test_networks_that_never_disagree_make_a_report_too(make_comparison: MakeComparison) -> None:
    words = page_of(make_comparison([0, 1], [0, 1], [0, 1])).words
    assert "right and wrong on exactly the same images" in words
    assert words.count("There is none.") == 4


def test_curves_are_drawn_of_what_was_measured(make_comparison: MakeComparison) -> None:
    compared = make_comparison([0, 1], [0, 0], [0, 1])
    for side in compared.sides:
        for epoch in (1, 2, 3):
            figures = {"loss": 1 / epoch, "val_loss": 1 / epoch, "val_accuracy": 1 - 1 / epoch}
            append_event(side.run.folder.metrics, {"event": "epoch", "epoch": epoch, **figures})
    page = page_of(compared)
    assert page.tags.count("polyline") == 4  # loss and accuracy of both
    assert "How they were trained" in page.words


def test_runs_without_any_measurement_have_no_curves(make_comparison: MakeComparison) -> None:
    page = page_of(make_comparison([0, 1], [0, 0], [0, 1]))
    assert "polyline" not in page.tags and "How they were trained" not in page.words


def test_the_settings_that_differ_are_told_apart(make_run: Callable[..., Run]) -> None:
    a, b = make_run(), make_run([7, 2, 1, 1])
    config = change(b.request.config, {"batch_size": 32})
    other = Run(
        b.folder, b.request.model_copy(update={"config": config}), b.state, b.about, "finished"
    )
    settings = {setting.key: setting for setting in settings_of_both(compare(a, other))}
    differing = [key for key, setting in settings.items() if setting.differs]
    assert differing == ["batch_size"]
    assert settings["batch_size"].b == "32"


def test_the_most_telling_pictures_are_the_surest_of_each_kind(
    make_comparison: MakeComparison,
) -> None:
    labels = [0] * 40
    a = [0] * 10 + [1] * 10 + [2] * 20
    b = [1] * 10 + [0] * 10 + [2] * 15 + [3] * 5
    compared = make_comparison(a, b, labels)
    only_a, only_b, suspects, wrong = telling_pictures(Images(compared), pictures_of(compared))
    assert [kind.count for kind in (only_a, only_b, suspects, wrong)] == [10, 10, 15, 5]
    assert [picture.index for picture in only_a.shown] == list(range(100, 110))
    assert (only_a.shown[0].a.right, only_a.shown[0].b.right) == (True, False)
    assert {picture.b.name for picture in wrong.shown} == {"3"}


def test_of_many_pictures_some_are_shown(make_comparison: MakeComparison) -> None:
    compared = make_comparison([0] * 100, [1] * 100, [0] * 100)
    first, *_ = telling_pictures(Images(compared), pictures_of(compared))
    assert (first.count, len(first.shown)) == (100, MOST)


def test_a_large_picture_is_made_small_enough() -> None:
    random = np.random.default_rng(0)
    large = random.integers(0, 256, (600, 800, 3), np.uint8)
    assert data_url(large).startswith("data:image/webp;base64,")
    assert len(data_url(large)) < 40_000


def test_it_says_when_it_was_made(make_comparison: MakeComparison) -> None:
    compared = make_comparison([0, 1], [0, 0], [0, 1])
    when = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    assert "2026-01-02 03:04" in report(Images(compared), pictures_of(compared), made=when)
