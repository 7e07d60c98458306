"""Which Transfer Lab this is: its version, and the commit of its code where there is git."""

import os
import subprocess

from core.workspace import PROJECT

VERSION = "0.8.0"
"""Also the newest heading of CHANGELOG.md."""
PATIENCE = 10.0
"""Seconds that git may take."""


def revision() -> str:
    """The commit of the code, ending in `-dirty` where files differ from it; empty without git."""
    command = ["git", "-C", str(PROJECT), "--no-optional-locks", "describe"]
    options = ["--always", "--dirty", "--abbrev=12", "--exclude=*"]
    # A repository that the project merely lies in says nothing of its code.
    of_project = {**os.environ, "GIT_CEILING_DIRECTORIES": str(PROJECT.parent)}
    try:
        told = subprocess.run(
            [*command, *options],
            capture_output=True,
            check=True,
            env=of_project,
            text=True,
            timeout=PATIENCE,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return told.stdout.strip()
