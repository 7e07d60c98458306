import csv
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.comparison import Comparison, as_json, compare
from core.errors import InvalidRequest
from core.export import export_comparison
from core.runs import Run

Arrays = dict[str, NDArray[np.uint8]]
MakeRun = Callable[..., Run]

LABELS = [7, 2, 1, 0, 4]
"""The first test images of MNIST."""
A = [7, 2, 1, 6, 9]
B = [7, 3, 1, 0, 4]


@pytest.fixture
def comparison(make_run: MakeRun) -> Comparison:
    return compare(make_run(A, LABELS, name="A"), make_run(B, LABELS, name="B"))


def rows(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_each_disagreement_is_a_picture_named_by_index_truth_and_both_answers(
    comparison: Comparison, tmp_path: Path, mnist: Arrays
) -> None:
    result = export_comparison(comparison, tmp_path / "out")
    pictures = {path.name: path for path in (tmp_path / "out" / "disagreements").iterdir()}
    assert set(pictures) == {"1_2_2_3.png", "3_0_6_0.png", "4_4_9_4.png"}
    assert result == {"folder": str(tmp_path / "out"), "images": 3}
    for name, path in pictures.items():
        image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(image, mnist["x_test"][int(name.split("_")[0])])


def test_the_tables_hold_what_each_took_each_image_for(
    comparison: Comparison, tmp_path: Path
) -> None:
    export_comparison(comparison, tmp_path)
    assert rows(tmp_path / "a.csv") == [
        ["ImageId", "Label"],
        ["1", "7"],
        ["2", "2"],
        ["3", "1"],
        ["4", "6"],
        ["5", "9"],
    ]
    assert [row[1] for row in rows(tmp_path / "b.csv")[1:]] == [str(label) for label in B]


def test_the_common_table_has_both_with_their_probabilities(
    comparison: Comparison, tmp_path: Path
) -> None:
    export_comparison(comparison, tmp_path)
    header, *lines = rows(tmp_path / "predictions.csv")
    assert header == ["index", "true", "a", "b", "a_probability", "b_probability"]
    assert [line[:4] for line in lines] == [
        [str(part) for part in line] for line in zip(range(5), LABELS, A, B, strict=True)
    ]
    assert {line[4] for line in lines} == {str(np.float16(0.91).astype(float).round(4))}


def test_the_numbers_go_along(comparison: Comparison, tmp_path: Path) -> None:
    export_comparison(comparison, tmp_path)
    assert json.loads((tmp_path / "comparison.json").read_text()) == as_json(comparison)


def test_runs_that_agree_leave_no_pictures(make_run: MakeRun, tmp_path: Path) -> None:
    comparison = compare(make_run(A, LABELS), make_run(A, LABELS))
    assert export_comparison(comparison, tmp_path / "out")["images"] == 0
    assert list((tmp_path / "out" / "disagreements").iterdir()) == []


def test_a_folder_that_is_a_file_is_refused(comparison: Comparison, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(InvalidRequest, match="--export must be a folder that can be written, got"):
        export_comparison(comparison, tmp_path / "taken")
