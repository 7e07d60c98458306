"""What a person set for the whole workspace, kept in one JSON file."""

from typing import Any

from filelock import FileLock
from pydantic import Field, ValidationError

from core.errors import DamagedFile, InvalidRequest, WorkFailed
from core.files import write_json
from core.validation import Frozen, sentence
from core.workspace import Workspace

GIB = 2**30
MOST_AT_ONCE = 16
PATIENCE = 10.0
"""Seconds to wait for somebody else who changes preferences."""


class Preferences(Frozen):
    """Settings that hold for every run of a workspace.

    cache_limit: bytes that the output of frozen layers may take on disk. paused: whether runs that
    wait go on waiting. at_once: how many runs may train at the same time.
    """

    cache_limit: int = Field(20 * GIB, ge=0)
    paused: bool = False
    at_once: int = Field(1, ge=1, le=MOST_AT_ONCE)


def load_preferences(workspace: Workspace) -> Preferences:
    """What was set, or the defaults. Raises DamagedFile where the file cannot be read."""
    try:
        return Preferences.model_validate_json(workspace.preferences.read_bytes())
    except FileNotFoundError:
        return Preferences()
    except (OSError, ValidationError, ValueError):
        raise DamagedFile(
            f"{workspace.preferences} cannot be read; mend it, or delete it to have the defaults"
        ) from None


def change_preferences(workspace: Workspace, **changes: Any) -> Preferences:
    """Change some and keep the others, also those that somebody else changes just now.

    Raises InvalidRequest where a value is not allowed, DamagedFile where the file cannot be read,
    WorkFailed where it cannot be written.
    """
    try:
        with FileLock(workspace.locks / "preferences.lock", timeout=PATIENCE):
            content = load_preferences(workspace).model_dump() | changes
            preferences = Preferences.model_validate(content)
            write_json(workspace.preferences, preferences.model_dump(mode="json"))
    except ValidationError as error:
        raise InvalidRequest(sentence(error.errors())) from None
    except OSError as error:
        raise WorkFailed(
            f"{workspace.preferences} cannot be written: {error.strerror or error}; make room or "
            "permit it, then try again"
        ) from None
    return preferences
