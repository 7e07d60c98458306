import tomllib
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ui.frame.pages import PAGES

ROOT = Path(__file__).parents[3]


def test_a_page_shows_its_title(app: AppTest) -> None:
    app.run()
    assert [title.value for title in app.title] == ["Overview"]
    assert not app.exception


@pytest.mark.parametrize("script", [entry.script for entry in PAGES])
def test_every_page_links_to_all_pages(app: AppTest, script: str) -> None:
    app.run().switch_page(script).run()
    links = [link.proto.label for link in app.sidebar.get("page_link")]
    assert links == ["Overview", "Data", "Train", "Runs", "Compare", "Predict"]


def test_nothing_stands_above_the_title_that_could_move_it(app: AppTest) -> None:
    app.run()
    header = app.main.children[0]
    assert header.proto.id.endswith("page_header")


def test_the_style_is_sent_before_everything_and_outside_the_page(app: AppTest) -> None:
    app.run()
    assert app._tree.children[2].children[0].proto.body.startswith("<style>")


def test_the_sidebar_names_the_product(app: AppTest) -> None:
    app.run()
    assert "Transfer Lab" in app.sidebar.get("html")[0].proto.body


def test_streamlits_own_list_of_pages_is_off() -> None:
    config = tomllib.loads((ROOT / ".streamlit/config.toml").read_text())
    assert config["client"]["showSidebarNavigation"] is False


def test_every_link_has_a_script() -> None:
    assert [entry.script for entry in PAGES if not (ROOT / entry.script).is_file()] == []
