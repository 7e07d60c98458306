"""Imports in a process of their own, seen from outside."""

import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import InvalidRequest, WorkFailed
from core.imported.library import Library
from core.importing.background import Importing, Work, checked_names, imports
from core.importing.request import ImportRequest
from core.processes import ProcessIdentity, this_process
from core.workspace import Workspace
from tests.core.importing.made import digits, folder_of, idx, pets, zip_of

Eventually = Callable[[Callable[[], object]], object]
OtherProcess = tuple[subprocess.Popen[str], ProcessIdentity]


def files_of(workspace: Workspace) -> list[str]:
    """All that lies in the workspace, besides the datasets."""
    found = (path for path in workspace.root.rglob("*") if path.is_file())
    return [path.name for path in found if workspace.imported not in path.parents]


def ended(importing: Importing, eventually: Eventually) -> Work:
    eventually(lambda: not importing.at_work())
    work = importing.work()
    assert work is not None
    assert work.ended
    return work


def test_what_was_uploaded_is_imported_and_then_removed(
    workspace: Workspace, tmp_path: Path, eventually: Eventually
) -> None:
    content = zip_of(tmp_path / "cats.zip", pets()).read_bytes()
    uploaded = [("../cats & dogs.zip", io.BytesIO(content))]
    importing = Importing(workspace, "cats")
    importing.begin(ImportRequest(name="cats", held_out=0.5), uploaded)
    work = ended(importing, eventually)
    assert (work.failure, work.dataset, work.known) == ("", "cats", False)
    dataset = Library(workspace).find("cats")
    assert dataset.about.class_names == ("cat", "dog")
    assert dataset.about.images["test"] == 6
    assert dataset.about.source == "cats _ dogs.zip"
    assert not importing.uploads.exists()
    importing.forget()
    assert not files_of(workspace)
    assert imports(workspace) == []


def test_several_files_belong_together(
    workspace: Workspace, eventually: Eventually, tmp_path: Path
) -> None:
    images, labels = digits(40)
    importing = Importing(workspace, "pair")
    importing.begin(
        ImportRequest(name="pair"),
        [
            ("train-images-idx3-ubyte", io.BytesIO(idx(images))),
            ("train-labels-idx1-ubyte", io.BytesIO(idx(labels))),
        ],
    )
    assert ended(importing, eventually).failure == ""
    assert len(Library(workspace).find("pair")) == 40


def test_the_same_images_again_are_recognised(
    workspace: Workspace, tmp_path: Path, eventually: Eventually
) -> None:
    folder = folder_of(tmp_path / "pets", pets())
    for name in ("pets", "again"):
        importing = Importing(workspace, name)
        importing.begin(ImportRequest(name=name, path=str(folder)))
        work = ended(importing, eventually)
        assert work.failure == ""
    assert (work.dataset, work.known) == ("pets", True)
    assert Library(workspace).names() == ["pets"]


def test_what_cannot_be_imported_ends_in_a_sentence_and_leaves_nothing(
    workspace: Workspace, eventually: Eventually
) -> None:
    importing = Importing(workspace, "broken")
    importing.begin(
        ImportRequest(name="broken"), [("broken.zip", io.BytesIO(b"PK\x03\x04 and no more"))]
    )
    work = ended(importing, eventually)
    assert work.failure.startswith("Broken.zip cannot be imported: the ZIP is damaged")
    assert work.failure.endswith(".")
    assert not importing.uploads.exists()
    assert Library(workspace).names() == []
    assert [one.name for one in imports(workspace)] == ["broken"]
    importing.forget()
    assert imports(workspace) == []


def test_a_cancelled_import_leaves_nothing(
    workspace: Workspace, tmp_path: Path, eventually: Eventually
) -> None:
    folder = folder_of(tmp_path / "many", pets(2000))
    importing = Importing(workspace, "many")
    importing.begin(ImportRequest(name="many", path=str(folder)))
    eventually(lambda: list(workspace.imported.glob(".unfinished-*")))
    work = importing.work()
    assert work is not None
    importing.cancel()
    assert not work.process.is_alive()
    assert not files_of(workspace)
    assert not list(workspace.imported.iterdir())


def test_an_import_that_was_killed_is_told_and_leaves_nothing(
    workspace: Workspace, other_process: OtherProcess
) -> None:
    process, identity = other_process
    importing = Importing(workspace, "killed")
    importing.folder.mkdir(parents=True)
    importing.tell(Work(process=identity, phase="decoding", done=5, total=10))
    half = workspace.imported / f".unfinished-{identity.pid}-abc"
    half.mkdir(parents=True)
    process.kill()
    process.wait()
    work = importing.work()
    assert work is not None
    assert "import it again" in work.failure
    importing.forget()
    assert not half.exists()


def test_a_name_that_is_taken_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    importing = Importing(workspace, "busy")
    importing.folder.mkdir(parents=True)
    importing.tell(Work(process=this_process()))
    with pytest.raises(InvalidRequest, match="'busy' is being imported already; choose another"):
        importing.begin(ImportRequest(name="busy", path=str(tmp_path)))
    with pytest.raises(InvalidRequest, match="is the name of a built-in dataset"):
        Importing(workspace, "mnist").begin(ImportRequest(name="mnist", path=str(tmp_path)))


def test_a_path_where_nothing_is_is_refused_at_once(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"got .*/nowhere, where nothing is on the machine"):
        Importing(workspace, "new").begin(ImportRequest(name="new", path=str(tmp_path / "nowhere")))
    assert not workspace.imports.exists()


def test_a_workspace_that_cannot_be_written_is_told(workspace: Workspace, tmp_path: Path) -> None:
    workspace.root.mkdir()
    workspace.imports.write_text("a file where the folder should be")
    with pytest.raises(WorkFailed, match=r"nothing can be imported into .*; make room or permit"):
        Importing(workspace, "new").begin(ImportRequest(name="new", path=str(tmp_path)))


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\pictures\\cats.zip", "cats.zip"),
        (".hidden.csv", "hidden.csv"),
        ("..", "file"),
        ("", "file"),
        ("a\0b\n*?.npz", "a_b___.npz"),
        ("x" * 300 + ".zip", "x" * 96 + ".zip"),
        ("Käse (2) – 1.zip", "Käse (2) _ 1.zip"),
    ],
)
def test_names_from_outside_are_kept_without_what_could_do_harm(name: str, kept: str) -> None:
    assert checked_names([name]) == [kept]


def test_two_files_of_one_name_are_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"got 'Train\.csv' twice"):
        checked_names(["train.csv", "b/Train.csv"])


def test_what_was_asked_for_is_read_as_it_was_written(workspace: Workspace) -> None:
    importing = Importing(workspace, "asked")
    importing.folder.mkdir(parents=True)
    (importing.folder / "asked.json").write_text(json.dumps({"name": "asked"})[:-3])
    assert importing.asked() is None
    assert imports(workspace) == []
