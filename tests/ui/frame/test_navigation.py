import tomllib
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ui.frame.pages import PAGES

ROOT = Path(__file__).parents[3]

SCRIPT = """
from ui.frame.navigation import page
page({title!r}, "🔬", "What it is for.")
"""


@pytest.fixture
def app(tmp_path: Path) -> AppTest:
    """An app whose every page does nothing but begin."""
    (tmp_path / "pages").mkdir()
    for entry in PAGES:
        (tmp_path / entry.script).write_text(SCRIPT.format(title=entry.name))
    return AppTest.from_file(str(tmp_path / "app.py"), default_timeout=30).run()


def test_a_page_shows_its_title(app: AppTest) -> None:
    assert [title.value for title in app.title] == ["Overview"]
    assert not app.exception


@pytest.mark.parametrize("script", [entry.script for entry in PAGES])
def test_every_page_links_to_all_pages(app: AppTest, script: str) -> None:
    app.switch_page(script).run()
    links = [link.proto.label for link in app.sidebar.get("page_link")]
    assert links == ["Overview", "Data", "Train", "Runs", "Compare", "Predict"]


def test_the_sidebar_names_the_product(app: AppTest) -> None:
    assert "Transfer Lab" in app.sidebar.get("html")[0].proto.body


def test_streamlits_own_list_of_pages_is_off() -> None:
    config = tomllib.loads((ROOT / ".streamlit/config.toml").read_text())
    assert config["client"]["showSidebarNavigation"] is False


def test_every_link_has_a_script() -> None:
    assert [entry.script for entry in PAGES if not (ROOT / entry.script).is_file()] == []
