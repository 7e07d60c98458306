from pathlib import Path

import pytest

from core.workspace import ENVIRONMENT_VARIABLE, Workspace, find_workspace


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(ENVIRONMENT_VARIABLE, raising=False)


def test_without_a_wish_it_is_workspace_in_the_current_folder(tmp_path: Path) -> None:
    assert find_workspace() == Workspace(tmp_path / "workspace")


def test_the_environment_can_name_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path / "elsewhere"))
    assert find_workspace().root == tmp_path / "elsewhere"


def test_the_folder_asked_for_goes_before_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path / "elsewhere"))
    assert find_workspace(tmp_path / "here").root == tmp_path / "here"


def test_an_empty_environment_variable_names_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, "")
    assert find_workspace().root == tmp_path / "workspace"


def test_a_relative_folder_stays_the_same_when_the_current_folder_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = find_workspace("mine")
    monkeypatch.chdir("/")
    assert found.root == tmp_path / "mine"


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert find_workspace("~/lab").root == tmp_path / "lab"


def test_finding_a_workspace_creates_nothing(tmp_path: Path) -> None:
    found = find_workspace("mine")
    assert all(path.is_relative_to(found.root) for path in (found.runs, found.features))
    assert list(tmp_path.iterdir()) == []
