import csv
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from core.registry.predictions import read_predictions
from core.registry.runs import Runs
from core.workspace import Workspace

Mnist = dict[str, NDArray[np.uint8]]
Command = Callable[..., Any]
MakeRun = Callable[..., Any]


def test_predict_ranks_all_classes_of_each_picture_in_the_order_given(
    command: Command,
    trained_workspace: Workspace,
    mnist: dict[str, NDArray[np.uint8]],
    tmp_path: Path,
) -> None:
    paths = [tmp_path / f"{index}.png" for index in (3, 0, 1)]
    for path in paths:
        cv2.imwrite(str(path), mnist["x_test"][int(path.stem)])
    answer = command("predict", "cnn", *paths, "--json", of=trained_workspace)
    assert answer.status == 0
    predictions = answer.document["predictions"]
    assert [prediction["path"] for prediction in predictions] == [str(path) for path in paths]
    stored = read_predictions(Runs(trained_workspace).find("cnn"))
    for path, prediction in zip(paths, predictions, strict=True):
        ranked = prediction["ranked"]
        probabilities = [row["probability"] for row in ranked]
        assert sorted(row["class"] for row in ranked) == list("0123456789")
        assert probabilities == sorted(probabilities, reverse=True)
        assert sum(probabilities) == pytest.approx(1, abs=1e-5)
        by_class = [row["probability"] for row in sorted(ranked, key=lambda row: row["class"])]
        np.testing.assert_allclose(by_class, stored.probabilities[int(path.stem)], atol=1e-3)


def test_pictures_that_cannot_be_read_get_their_error_and_the_others_their_answer(
    command: Command,
    trained_workspace: Workspace,
    mnist: dict[str, NDArray[np.uint8]],
    tmp_path: Path,
) -> None:
    whole, text, dot, vast, missing, folder, empty = (
        tmp_path / name
        for name in ("7.png", "a.png", "1.png", "vast.png", "missing.png", "folder", "empty.png")
    )
    cv2.imwrite(str(whole), mnist["x_test"][0])
    text.write_text("no picture")
    cv2.imwrite(str(dot), np.zeros((1, 1), np.uint8))
    Image.new("1", (20_000, 20_000)).save(vast)
    folder.mkdir()
    empty.write_bytes(b"")
    paths = (whole, text, dot, vast, missing, folder, empty)
    answer = command("predict", "cnn", *paths, "--json", of=trained_workspace)
    assert answer.status == 2
    good, *bad = answer.document["predictions"]
    assert len(good["ranked"]) == 10
    reasons = ("is not an image", "at least 4 pixels", "at most 50 million pixels")
    reasons += ("No such file", "the folder holds no files", "is empty")
    for path, prediction, reason in zip(paths[1:], bad, reasons, strict=True):
        assert prediction["path"] == str(path)
        assert reason in prediction["error"]


def pixels_csv(images: NDArray[np.uint8], labels: NDArray[np.uint8] | None = None) -> str:
    header = [f"pixel{number}" for number in range(784)]
    rows = images.reshape(len(images), -1).tolist()
    if labels is not None:
        header, rows = ["label", *header], np.column_stack([labels, rows]).tolist()
    return "\n".join(",".join(map(str, row)) for row in [header, *rows]) + "\n"


def test_a_zip_with_class_folders_is_scored_and_written_as_a_table(
    command: Command, trained_workspace: Workspace, mnist: Mnist, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "digits.zip", "w") as archive:
        for index in range(20):
            content = cv2.imencode(".png", mnist["x_test"][index])[1].tobytes()
            archive.writestr(f"{mnist['y_test'][index]}/{index}.png", content)
        archive.writestr("__MACOSX/._1.png", b"x")
    table, path = tmp_path / "table.csv", tmp_path / "digits.zip"
    answer = command("predict", "cnn", path, "--csv", table, "--json", of=trained_workspace)
    assert answer.status == 0
    stored = read_predictions(Runs(trained_workspace).find("cnn"))
    document = answer.document
    assert document["labelled"]["images"] == 20
    assert document["labelled"]["correct"] == int(stored.correct[:20].sum())
    assert document["left_out"] == 1
    assert document["csv"] == str(table)
    first = document["predictions"][0]
    assert (first["path"], first["true_class"]) == (f"{path}/7/0.png", "7")
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["predicted"] for row in rows] == [str(n) for n in stored.classes[:20]]


def test_a_folder_is_read_and_one_bad_file_in_it_refused(
    command: Command, trained_workspace: Workspace, mnist: Mnist, tmp_path: Path
) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    cv2.imwrite(str(folder / "a.png"), mnist["x_test"][0])
    (folder / "b.png").write_bytes(b"x")
    answer = command("predict", "cnn", folder, "--json", of=trained_workspace)
    assert answer.status == 2
    good, bad = answer.document["predictions"]
    assert (good["path"], bad["path"]) == (f"{folder}/a.png", f"{folder}/b.png")
    assert "true_class" not in good
    assert "error" in bad
    assert "labelled" not in answer.document


def test_dark_ink_is_taken_for_what_it_is_said_to_be(
    command: Command, trained_workspace: Workspace, mnist: Mnist, tmp_path: Path
) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), 255 - mnist["x_test"][0])
    for ink in ("auto", "dark"):
        answer = command("predict", "cnn", tmp_path / "a.png", "--ink", ink, "--json",
                         of=trained_workspace)  # fmt: skip
        ranked = {each["class"]: each["probability"] for each in
                  answer.document["predictions"][0]["ranked"]}  # fmt: skip
        stored = read_predictions(Runs(trained_workspace).find("cnn")).probabilities[0]
        np.testing.assert_allclose([ranked[name] for name in "0123456789"], stored, atol=1e-3)


def test_kaggles_table_becomes_a_submission(
    command: Command, trained_workspace: Workspace, mnist: Mnist, tmp_path: Path
) -> None:
    path, out = tmp_path / "test.csv", tmp_path / "mine.csv"
    path.write_text(pixels_csv(mnist["x_test"][:30]))
    answer = command("predict", "cnn", path, "--submission", out, "--json", of=trained_workspace)
    assert answer.status == 0
    document = {key: answer.document[key] for key in ("predictions", "submission", "rows")}
    assert document == {"predictions": [], "submission": str(out), "rows": 30}
    stored = read_predictions(Runs(trained_workspace).find("cnn"))
    expected = [f"{n},{label}" for n, label in enumerate(stored.classes[:30], start=1)]
    assert out.read_text().split() == ["ImageId,Label", *expected]


def test_kaggles_training_table_is_scored(
    command: Command,
    trained_workspace: Workspace,
    mnist: Mnist,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.csv").write_text(pixels_csv(mnist["x_test"][:30], mnist["y_test"][:30]))
    answer = command("predict", "cnn", "train.csv", "--json", of=trained_workspace)
    stored = read_predictions(Runs(trained_workspace).find("cnn"))
    assert answer.document["labelled"]["correct"] == int(stored.correct[:30].sum())
    assert (tmp_path / "submission.csv").is_file()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["bad.csv"], "bad.csv: line 2 must have 784 columns as the header has, got 1"),
        (["test.csv", "a.png"], "a table of pixels must be the only file, got 2"),
        (["test.csv", "--csv", "out.csv"], "--csv goes with pictures, got a table of pixels"),
        (["a.png", "--csv", "none/out.csv"], "--csv must be a file in a folder that exists"),
        (["test.csv", "--submission", "."], "--submission must be a file in a folder that exists"),
    ],
)
def test_a_wrong_request_is_refused_and_writes_nothing(
    command: Command,
    trained_workspace: Workspace,
    mnist: Mnist,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    whole = pixels_csv(mnist["x_test"][:2])
    Path("test.csv").write_text(whole)
    Path("bad.csv").write_text(whole.split("\n")[0] + "\n1\n")
    before = set(tmp_path.iterdir())
    answer = command("predict", "cnn", *words, "--json", of=trained_workspace)
    assert (answer.status, answer.out) == (2, "")
    assert f"python -m core: {sentence}" in answer.err
    assert "Traceback" not in answer.err
    assert set(tmp_path.iterdir()) == before


def test_a_table_of_digits_needs_a_network_for_digits(
    command: Command, runs: Runs, mnist: Mnist, tmp_path: Path
) -> None:
    from core.registry.recipes import RECIPES
    from core.registry.settings import change

    runs.create(change(RECIPES["cnn-digits"].config, {"data.name": "fashion_mnist"}), "clothes")
    (tmp_path / "test.csv").write_text(pixels_csv(mnist["x_test"][:2]))
    out = ("--submission", tmp_path / "out.csv")
    answer = command("predict", "clothes", tmp_path / "test.csv", *out, "--json")
    assert (answer.status, answer.out) == (2, "")
    assert "needs a network that reads digits, got the run 'clothes'" in answer.err
