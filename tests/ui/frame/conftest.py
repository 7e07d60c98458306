from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.workspace import ENVIRONMENT_VARIABLE, Workspace
from ui.frame.pages import PAGES

SCRIPT = """
from ui.frame.navigation import page
page({title!r}, "🔬", "What it is for.")
"""


@pytest.fixture
def app(tmp_path: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """An app whose every page does nothing but begin, before its first run."""
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(workspace.root))
    (tmp_path / "pages").mkdir()
    for entry in PAGES:
        (tmp_path / entry.script).write_text(SCRIPT.format(title=entry.name))
    return AppTest.from_file(str(tmp_path / "app.py"), default_timeout=200)
