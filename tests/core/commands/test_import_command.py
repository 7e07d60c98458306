"""Datasets from the command line: brought in, taken out, deleted."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.data.downloading import download_of
from core.imported.library import Library
from core.workspace import PROJECT, Workspace
from tests.core.conftest import Answer
from tests.core.data.test_datasets import archive, arrays_for
from tests.core.importing.made import folder_of, pets, zip_of

Command = Callable[..., Answer]
Eventually = Callable[[Callable[[], Any]], Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures in class folders: two that are alike, and one that is broken."""
    files = pets(10) | {"dog/again.png": pets()["dog/1.png"], "cat/broken.png": b"no picture"}
    return folder_of(tmp_path / "pets", files)


def test_what_was_imported_and_what_was_left_out_is_one_document(
    command: Command, folder: Path, workspace: Workspace
) -> None:
    answer = command("import-dataset", folder, "--name", "pets", "--test-share", 0.3, "--json")
    found = answer.document
    assert answer.status == 0
    assert (found["dataset"], found["already_imported"]) == ("pets", False)
    assert found["classes"] == ["cat", "dog"]
    assert sum(found["images"].values()) == 21
    assert found["report"]["found"] == 22
    (skipped,) = found["report"]["skipped"]
    assert skipped["name"] == "cat/broken.png"
    assert skipped["reason"]
    assert found["report"]["exact_doubles"]["groups"] >= 1
    assert Library(workspace).find("pets").about.fingerprint == found["fingerprint"]
    assert Library(workspace).find("pets").about.source == str(folder)


def test_as_text_it_names_files_classes_and_duplicates(command: Command, folder: Path) -> None:
    out = command("import-dataset", folder, "--name", "pets").out
    assert "found: 22" in out
    assert "left_out: 1" in out
    assert "cat/broken.png" in out
    assert "class  train  test" in out


def test_the_same_again_is_answered_with_the_name_that_has_it(
    command: Command, folder: Path, workspace: Workspace
) -> None:
    command("import-dataset", folder, "--name", "pets")
    again = command("import-dataset", folder, "--name", "again", "--json").document
    assert (again["dataset"], again["already_imported"]) == ("pets", True)
    assert Library(workspace).names() == ["pets"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--name", "Pets!"], "the name of a dataset must have 1 to 40 small letters"),
        (["--name", "cifar10"], "is the name of a built-in dataset"),
        ([], "--name must say what to call the dataset, got nothing"),
        (["--name", "pets", "--test-share", "0.6"], "--test-share must be from 0 to 0.5, got 0.6"),
        (["--name", "pets", "--seed", "-1"], "--seed must be from 0 to 4294967295, got -1"),
    ],
)
def test_a_wrong_request_is_refused_with_a_sentence(
    command: Command, folder: Path, words: list[str], sentence: str, workspace: Workspace
) -> None:
    answer = command("import-dataset", folder, *words)
    assert (answer.status, answer.out) == (2, "")
    assert sentence in answer.err
    assert answer.err.count("\n") == 1
    assert Library(workspace).names() == []


def test_a_path_that_holds_no_dataset_is_refused(command: Command, tmp_path: Path) -> None:
    nowhere = command("import-dataset", tmp_path / "nowhere", "--name", "pets")
    nothing = command("import-dataset", zip_of(tmp_path / "n.zip", {"a.txt": b""}), "--name", "n")
    assert (nowhere.status, nothing.status) == (2, 2)
    assert "there is nothing at" in nowhere.err
    assert "holds no dataset" in nothing.err


def test_ctrl_c_leaves_nothing(
    tmp_path: Path, workspace: Workspace, eventually: Eventually
) -> None:
    many = folder_of(tmp_path / "many", pets(2000))
    words = ["import-dataset", str(many), "--name", "many", "--workspace", str(workspace.root)]
    process = subprocess.Popen(
        [sys.executable, "-m", "core", *words],
        cwd=PROJECT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        eventually(lambda: list(workspace.imported.glob(".unfinished-*")))
        os.killpg(process.pid, signal.SIGINT)  # a terminal tells all processes of the command
        _, said = process.communicate(timeout=200)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert not list(workspace.imported.iterdir())


def test_a_download_goes_by_the_name_of_the_dataset(command: Command, workspace: Workspace) -> None:
    workspace.datasets.mkdir(parents=True)
    arrays = arrays_for((32, 32, 3), 100)
    archive(workspace.datasets / "cifar-100-binary.tar.gz", "cifar100", arrays)
    found = command("import-dataset", "cifar100", "--json").document
    assert (found["dataset"], found["already_there"], found["classes"]) == ("cifar100", False, 100)
    assert download_of("cifar100", workspace).there
    assert command("import-dataset", "cifar100", "--json").document["already_there"]
    assert command("import-dataset", "mnist", "--json").document["already_there"]


def test_a_download_that_fails_says_how_to_get_it_by_hand(
    command: Command, workspace: Workspace
) -> None:
    workspace.datasets.mkdir(parents=True)
    (workspace.datasets / "cifar-10-binary.tar.gz").write_bytes(b"nothing of the kind")
    answer = command("import-dataset", "cifar10")
    assert answer.status == 1
    assert "CIFAR-10 photographs could not be downloaded" in answer.err
    assert f"that folder is {workspace.datasets} here" in answer.err


def test_a_dataset_is_taken_out_as_lists_and_as_pictures_and_deleted(
    command: Command, folder: Path, tmp_path: Path, workspace: Workspace
) -> None:
    command("import-dataset", folder, "--name", "pets")
    lists = command("export-lists", "pets", tmp_path / "lists", "--json").document
    assert str(tmp_path / "lists" / "classes.txt") in lists["written"]
    assert (tmp_path / "lists" / "classes.txt").read_text() == "cat\ndog\n"
    pictures = command("export-pictures", "pets", tmp_path / "out", "--json").document
    assert pictures["images"] == 21 == len(list((tmp_path / "out").rglob("*.png")))
    assert command("delete-dataset", "pets", "--json").document == {"deleted": "pets"}
    assert Library(workspace).names() == []
    assert command("delete-dataset", "pets").status == 2
