"""The report of an import on Data."""

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.files import write_json
from core.imported.dataset import ImportedDataset
from core.imported.report import Doubled, Doubles, ImportReport, Skipped, Span

OpenPage = Callable[..., AppTest]
ImportPictures = Callable[..., ImportedDataset]
DATA = "pages/1_Data.py"
MARKUP = "<script>alert(1)</script> *b* :red[c]"
SIDE = Span(smallest=12, usual=12, largest=12)


def report(**found: Any) -> ImportReport:
    """What came of an import of 20 training and 12 test images, unless something else is told."""
    plain: dict[str, Any] = {
        "found": 32,
        "imported": 32,
        "images": {},
        "widths": SIDE,
        "heights": SIDE,
        "grey": 0,
    }
    return ImportReport(**plain | found)


@pytest.fixture
def reported(import_pictures: ImportPictures, open_page: OpenPage) -> Callable[..., AppTest]:
    """A function that opens the page with a report of a dataset whose class has markup in it."""

    def reported(**found: Any) -> AppTest:
        dataset = import_pictures(alike=True, class_names=(MARKUP, "light"))
        write_json(dataset.folder / "report.json", report(**found).model_dump(mode="json"))
        at = open_page(DATA, dataset=dataset.name, view="report")
        assert not at.exception
        return at

    return reported


def texts(at: AppTest) -> str:
    return "\n".join(text.value for text in (*at.markdown, *at.caption, *at.info, *at.warning))


def pictures(at: AppTest) -> str:
    """The HTML of all rows of pictures."""
    bodies = [element.proto.body for element in at.get("html")]
    return "\n".join(body for body in bodies if "row-of-pictures" in body)


def figure(at: AppTest, name: str) -> str:
    return next(metric.value for metric in at.metric if metric.label == name)


def test_a_clean_import_says_so(reported: Callable[..., AppTest]) -> None:
    at = reported()
    assert (figure(at, "Found"), figure(at, "Left out")) == ("32", "0")
    assert "No two images are alike" in texts(at)
    assert not at.warning
    assert "report_search" not in [element.key for element in at.text_input]


def test_what_was_held_out_or_has_no_label_is_told(reported: Callable[..., AppTest]) -> None:
    said = texts(reported(held_out=0.2, unlabelled=1234))
    assert "20 % of each class was held out" in said
    assert "1,234 images have no label" in said


def test_thousands_of_files_that_were_left_out_can_be_searched(
    reported: Callable[..., AppTest],
) -> None:
    skipped = [Skipped(name=f"cat/{i}.png", reason="it is damaged") for i in range(3000)]
    skipped += [Skipped(name="dog/<b>.png", reason="it is too *small*")]
    at = reported(found=3033, skipped=tuple(skipped))
    assert figure(at, "Left out") == "3,001"
    assert "3,000 × it is damaged" in texts(at)
    assert "1 × it is too \\*small\\*" in texts(at)
    assert len(at.dataframe[0].value) == 3001
    at.text_input(key="report_search").set_value("TOO *S").run()
    assert at.dataframe[0].value.to_numpy().tolist() == [["dog/<b>.png", "it is too *small*"]]
    assert "1 of 3,001" in texts(at)


def test_how_many_images_each_class_has_is_told_part_by_part(
    reported: Callable[..., AppTest],
) -> None:
    table = reported().dataframe[0].value
    assert table.to_dict("list") == {
        "Class": [MARKUP, "light"],
        "Training": [10, 10],
        "Test": [6, 6],
    }


def test_test_images_that_were_learned_from_are_counted_and_explained(
    reported: Callable[..., AppTest],
) -> None:
    at = reported(leaked=3)
    assert "3 of 12 test images (25.0 %) show what training images show too" in texts(at)


def test_more_duplicates_than_are_listed_are_counted(reported: Callable[..., AppTest]) -> None:
    at = reported(
        exact=(Doubled(positions=(0, 1)),), exact_doubles=Doubles(groups=4000, images=9000)
    )
    assert figure(at, "Alike") == "9,000"
    assert "Of 4,000 groups the 1 worst are listed" in texts(at)


def test_duplicates_stand_side_by_side_the_worst_first(reported: Callable[..., AppTest]) -> None:
    at = reported(
        exact=(Doubled(positions=(3, 4)), Doubled(positions=(0, 20), across=True)),
        near=(Doubled(positions=(5, 15), disagree=True),),
    )
    lines = [line.value for line in at.markdown if "alike" in line.value]
    assert lines == [
        "2 images alike · :orange[in different parts]",
        "2 images almost alike · :red[labelled differently]",
        "2 images alike",
    ]
    assert pictures(at).count("<img") == 6


def test_duplicates_can_be_narrowed_down(reported: Callable[..., AppTest]) -> None:
    at = reported(exact=(Doubled(positions=(3, 4)),), near=(Doubled(positions=(5, 15)),))
    choice = next(each for each in at.segmented_control if each.key == "report_doubles")
    assert [option.partition(" (")[0] for option in choice.options] == [
        "All",
        "Alike",
        "Almost alike",
    ]
    choice.set_value("Almost alike").run()
    assert pictures(at).count("<img") == 2


def test_of_a_thousand_duplicates_the_first_are_shown(reported: Callable[..., AppTest]) -> None:
    groups = tuple(Doubled(positions=(place, place + 1)) for place in range(20))
    at = reported(exact=(Doubled(positions=tuple(range(20))), *groups))
    assert "20 images alike · the first 8 are shown" in texts(at)
    assert pictures(at).count("<img") == 8 + 11 * 2


def test_names_from_outside_are_shown_as_they_are(reported: Callable[..., AppTest]) -> None:
    shown = pictures(reported(exact=(Doubled(positions=(0, 1)),)))
    assert "<script>" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt; *b* :red[c]" in shown


def test_built_in_datasets_have_no_report(open_page: OpenPage) -> None:
    at = open_page(DATA, dataset="mnist", view="report")
    views = next(each for each in at.segmented_control if each.key == "data_view")
    assert not any("Report" in option for option in views.options)
