import re
import subprocess

import pytest

from core.version import VERSION, revision
from core.workspace import PROJECT


def git(*words: str) -> str:
    """What git says of the project's own repository; skips where it says nothing."""
    if not (PROJECT / ".git").exists():
        pytest.skip("this copy of the project is no git repository")
    command = ["git", "-C", str(PROJECT), *words]
    try:
        told = subprocess.run(command, capture_output=True, check=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("git does not read this repository")
    return told.stdout.strip()


def test_the_changelog_begins_with_this_version() -> None:
    text = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## (\S+)", text, re.MULTILINE)
    assert newest is not None
    assert newest[1] == VERSION


def test_the_revision_is_the_commit_of_the_code() -> None:
    commit = git("rev-parse", "HEAD")
    assert commit.startswith(revision().removesuffix("-dirty"))
    assert revision()
