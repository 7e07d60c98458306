import json

import pytest
from pydantic import ValidationError

from core.errors import DamagedFile
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
