import json
import threading

import pytest
from pydantic import ValidationError

from core.errors import DamagedFile, InvalidRequest, WorkFailed
from core.preferences import GIB, Preferences, change_preferences, load_preferences
from core.workspace import Workspace


def test_where_nothing_was_set_there_are_defaults_and_no_file(workspace: Workspace) -> None:
    assert load_preferences(workspace) == Preferences(cache_limit=20 * GIB)
    assert not workspace.root.exists()


def test_what_was_saved_is_loaded(workspace: Workspace) -> None:
    change_preferences(workspace, cache_limit=3 * GIB)
    assert load_preferences(workspace) == Preferences(cache_limit=3 * GIB)
    change_preferences(workspace, cache_limit=0)
    assert load_preferences(workspace) == Preferences(cache_limit=0)
    assert {path.name for path in workspace.root.iterdir()} == {"preferences.json", "locks"}


def test_what_the_file_leaves_out_is_the_default(workspace: Workspace) -> None:
    workspace.root.mkdir()
    workspace.preferences.write_text("{}")
    assert load_preferences(workspace) == Preferences()


def test_a_limit_is_not_negative() -> None:
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        Preferences(cache_limit=-1)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "no JSON",
        "[]",
        json.dumps({"cache_limit": "much"}),
        json.dumps({"cache_limit": -1}),
        json.dumps({"cash_limit": 1}),
    ],
)
def test_a_file_that_cannot_be_read_is_told_of_with_the_way_out(
    workspace: Workspace, content: str
) -> None:
    workspace.root.mkdir()
    workspace.preferences.write_text(content)
    with pytest.raises(DamagedFile) as caught:
        load_preferences(workspace)
    assert str(caught.value) == (
        f"{workspace.preferences} cannot be read; mend it, or delete it to have the defaults"
    )


def test_bytes_that_are_no_text_are_told_of_too(workspace: Workspace) -> None:
    workspace.root.mkdir()
    workspace.preferences.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DamagedFile):
        load_preferences(workspace)


def test_what_is_not_changed_stays(workspace: Workspace) -> None:
    change_preferences(workspace, paused=True)
    assert change_preferences(workspace, at_once=3) == Preferences(paused=True, at_once=3)
    assert load_preferences(workspace) == Preferences(paused=True, at_once=3)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"at_once": 0}, "at_once must be at least 1, got 0"),
        ({"at_once": 17}, "at_once must be at most 16, got 17"),
        ({"paused": 1}, "paused must be true or false, got 1"),
        ({"cache_limit": -1}, "cache_limit must be at least 0, got -1"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_and_changes_nothing(
    workspace: Workspace, changes: dict[str, object], sentence: str
) -> None:
    change_preferences(workspace, at_once=2)
    with pytest.raises(InvalidRequest, match=sentence):
        change_preferences(workspace, **changes)
    assert load_preferences(workspace) == Preferences(at_once=2)


def test_two_who_change_different_preferences_at_once_are_both_heard(
    workspace: Workspace,
) -> None:
    def change(name: str, values: list[object]) -> None:
        for value in values:
            change_preferences(workspace, **{name: value})

    changes = [("at_once", list(range(1, 11))), ("cache_limit", list(range(10)))]
    threads = [threading.Thread(target=change, args=each) for each in changes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert load_preferences(workspace) == Preferences(at_once=10, cache_limit=9)


def test_preferences_that_cannot_be_written_are_told(workspace: Workspace) -> None:
    workspace.root.mkdir()
    workspace.locks.write_text("in the way")
    with pytest.raises(WorkFailed, match=r"preferences\.json cannot be written: .*; make room or"):
        change_preferences(workspace, paused=True)
