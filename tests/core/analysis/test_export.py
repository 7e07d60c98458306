import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.analysis.comparison import Comparison, as_json, compare
from core.analysis.export import (
    export_comparison,
    predictions_csv,
    size_of_each,
    zip_of_pictures,
)
from core.analysis.images import Images
from core.data.data_config import DataConfig
from core.data.datasets import load_test, settle
from core.errors import InvalidRequest, NotComparable
from core.registry.config import RunConfig
from core.registry.predictions import write_epoch, write_truth
from core.registry.run import Run
from core.registry.runs import Runs
from core.workspace import Workspace

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
    comparison: Comparison, tmp_path: Path, mnist: Arrays, workspace: Workspace
) -> None:
    result = export_comparison(comparison, tmp_path / "out", workspace)
    pictures = {path.name: path for path in (tmp_path / "out" / "disagreements").iterdir()}
    assert set(pictures) == {"1_2_2_3.png", "3_0_6_0.png", "4_4_9_4.png"}
    assert result == {"folder": str(tmp_path / "out"), "images": 3}
    for name, path in pictures.items():
        image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(image, mnist["x_test"][int(name.split("_")[0])])


def test_the_tables_hold_what_each_took_each_image_for(
    comparison: Comparison, tmp_path: Path, workspace: Workspace
) -> None:
    export_comparison(comparison, tmp_path, workspace)
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
    comparison: Comparison, tmp_path: Path, workspace: Workspace
) -> None:
    export_comparison(comparison, tmp_path, workspace)
    header, *lines = rows(tmp_path / "predictions.csv")
    assert header == [
        *("index", "true", "a", "b", "a_probability", "b_probability"),
        *("a_probability_of_true", "b_probability_of_true", "true_name", "a_name", "b_name"),
    ]
    assert [line[:4] for line in lines] == [
        [str(part) for part in line] for line in zip(range(5), LABELS, A, B, strict=True)
    ]
    said, other = (str(np.float16(share).astype(float).round(4)) for share in (0.91, 0.01))
    assert {line[4] for line in lines} == {said}
    assert [line[6] for line in lines] == [said, said, said, other, other]
    assert lines[3][8:] == ["0", "6", "0"]


def test_a_class_name_is_no_formula_in_a_spreadsheet(make_run: MakeRun, config: RunConfig) -> None:
    names = ["=1+1", "-2", "plain", "@x", "+1", *"56789"]
    compared = compare(make_run(A, LABELS), make_run(B, LABELS))
    data = config.data.model_copy(update={"classes": tuple(names)})
    request = compared.a.run.request.model_copy(
        update={"config": config.model_copy(update={"data": data})}
    )
    renamed = replace(compared, a=replace(compared.a, run=replace(compared.a.run, request=request)))
    text = predictions_csv(Images(renamed))
    rows = list(csv.DictReader(text.splitlines()))
    assert [row["b_name"] for row in rows] == ["7", "'@x", "'-2", "'=1+1", "'+1"]


def test_a_zip_holds_the_chosen_pictures_as_they_are(comparison: Comparison, mnist: Arrays) -> None:
    pictures = mnist["x_test"][:5]
    content = zip_of_pictures(comparison, np.array([3, 1]), pictures)
    with ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == ["3_0_6_0.png", "1_2_2_3.png"]
        encoded = np.frombuffer(archive.read("3_0_6_0.png"), np.uint8)
    np.testing.assert_array_equal(cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED), pictures[3])


def test_the_size_of_a_zip_is_known_before_it_is_made(make_run: MakeRun, mnist: Arrays) -> None:
    labels = mnist["y_test"][:300].tolist()
    compared = compare(make_run(labels, labels), make_run([0] * 300, labels))
    made = len(zip_of_pictures(compared, np.arange(300), mnist["x_test"][:300]))
    assert 300 * size_of_each(mnist["x_test"][:300]) == pytest.approx(made, rel=0.15)


def test_the_numbers_go_along(comparison: Comparison, tmp_path: Path, workspace: Workspace) -> None:
    export_comparison(comparison, tmp_path, workspace)
    assert json.loads((tmp_path / "comparison.json").read_text()) == as_json(comparison)


def test_the_report_goes_along(
    comparison: Comparison, tmp_path: Path, workspace: Workspace
) -> None:
    export_comparison(comparison, tmp_path, workspace)
    assert "<h1>" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_runs_that_agree_leave_no_pictures(
    make_run: MakeRun, tmp_path: Path, workspace: Workspace
) -> None:
    comparison = compare(make_run(A, LABELS), make_run(A, LABELS))
    assert export_comparison(comparison, tmp_path / "out", workspace)["images"] == 0
    assert list((tmp_path / "out" / "disagreements").iterdir()) == []


def test_a_folder_that_is_a_file_is_refused(
    comparison: Comparison, tmp_path: Path, workspace: Workspace
) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(InvalidRequest, match="--export must be a folder that can be written, got"):
        export_comparison(comparison, tmp_path / "taken", workspace)


def test_pictures_of_a_folder_go_along_in_colour_and_in_the_larger_size(
    runs: Runs, config: RunConfig, workspace: Workspace, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    for part in ("train", "test"):
        for name, colour in (("red", (0, 0, 255)), ("sky", (255, 128, 0))):
            (folder / part / name).mkdir(parents=True)
            cv2.imwrite(str(folder / part / name / "1.png"), np.full((50, 60, 3), colour, np.uint8))
    data = settle(DataConfig(name="folder", path=str(folder)), workspace)
    test = load_test(data, side=8, workspace=workspace)
    made = []
    for side, classes in ((28, [0, 0]), (32, [1, 0])):
        network = config.network.model_copy(update={"side": side})
        run = runs.create(config.model_copy(update={"data": data, "network": network}))
        write_truth(run.folder.predictions, test.labels, test.indices, test.fingerprint())
        write_epoch(run.folder.predictions, 1, np.eye(2, dtype=np.float16)[classes])
        made.append(run.write_state(status="finished", best_epoch=1))
    compared = compare(*made)
    export_comparison(compared, tmp_path / "out", workspace)
    (picture,) = (tmp_path / "out" / "disagreements").iterdir()
    assert picture.name == "0_0_0_1.png"
    np.testing.assert_array_equal(cv2.imread(str(picture)), np.full((32, 32, 3), (0, 0, 255)))
    (folder / "test" / "sky" / "1.png").unlink()
    with pytest.raises(NotComparable, match="have changed since"):
        export_comparison(compared, tmp_path / "out", workspace)
