"""What the page shows of a dataset's images, kept as pixels and as files."""

from collections.abc import Callable

import numpy as np
import pytest

from core.files import write_json
from core.imported.dataset import ImportedDataset
from core.imported.report import Doubled
from ui.data.shown import Double, Imported

ImportPictures = Callable[..., ImportedDataset]


@pytest.mark.parametrize("alike", [True, False])
def test_an_index_counts_within_its_part(import_pictures: ImportPictures, alike: bool) -> None:
    shown = Imported(import_pictures(counts={"train": 3, "test": 2}, alike=alike))
    assert shown.parts == ("train", "test")
    assert shown.labels("test").tolist() == [0, 0, 1, 1]
    assert shown.called("test", 3) == "test/1/9.png"
    assert shown.place(9) == ("test", 3)
    np.testing.assert_array_equal(shown.picture("test", 3), shown.imported.picture(9))


def test_thumbnails_of_many_sizes_stand_on_black_squares(import_pictures: ImportPictures) -> None:
    shown = Imported(import_pictures(counts={"train": 4}, size=40))
    small = shown.small("train", np.arange(8), 30)
    assert small.shape == (8, 30, 30, 3)


def test_grey_pictures_of_many_sizes_stay_grey(import_pictures: ImportPictures) -> None:
    shown = Imported(import_pictures(grey=True))
    assert shown.small("train", np.arange(2), 30).shape == (2, 30, 30)
    assert len(shown.shape) == 2


def test_small_pixels_are_shown_as_they_are(import_pictures: ImportPictures) -> None:
    shown = Imported(import_pictures(alike=True))
    small = shown.small("test", np.array([2, 0]), 112)
    np.testing.assert_array_equal(small[1], shown.picture("test", 0))


def test_doubles_are_told_with_their_parts(import_pictures: ImportPictures) -> None:
    dataset = import_pictures(counts={"train": 2, "test": 2})
    report = dataset.report.model_copy(
        update={"exact": (Doubled(positions=(0, 5)),), "near": (Doubled(positions=(0, 1)),)}
    )
    write_json(dataset.folder / "report.json", report.model_dump(mode="json"))
    shown = Imported(ImportedDataset(dataset.folder))
    assert shown.doubles("train", 0) == [
        Double("test", 1, near=False),
        Double("train", 1, near=True),
    ]
    assert shown.remark("test", 1) == "also in another part"
    assert shown.remark("train", 2) == ""
