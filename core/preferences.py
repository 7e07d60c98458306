"""What a person set for the whole workspace, kept in one JSON file."""

from pydantic import Field, ValidationError

from core.errors import DamagedFile
from core.files import write_json
from core.validation import Frozen
from core.workspace import Workspace

GIB = 2**30


class Preferences(Frozen):
    """Settings that hold for every run of a workspace.

    cache_limit: bytes that the output of frozen layers may take on disk.
    """

    cache_limit: int = Field(20 * GIB, ge=0)


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


def save_preferences(workspace: Workspace, preferences: Preferences) -> None:
    """Keep them, replacing the file as a whole."""
    workspace.root.mkdir(parents=True, exist_ok=True)
    write_json(workspace.preferences, preferences.model_dump(mode="json"))
