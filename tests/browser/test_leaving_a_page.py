"""A page that redraws parts of itself is left for another by what runs on the server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from core.workspace import Workspace
from tests.browser.conftest import serving

RESTLESS = """
import time
import streamlit as st
from ui.frame.pages import go_to

@st.fragment(run_every=0.1)
def now():
    st.session_state.count = st.session_state.get("count", 0) + 1
    st.write("restless" if st.session_state.count > 3 else "about to begin")

st.title("Restless")
now()
if st.button("Go"):
    time.sleep(0.2)
    go_to("pages/quiet.py", {"came": "yes"})
"""
QUIET = """
import time
import streamlit as st

time.sleep(0.3)
st.title("Quiet")
time.sleep(0.3)
st.write("All is there")
"""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Of an app whose first page redraws a part ten times a second, and whose second takes time."""
    (tmp_path / "pages").mkdir()
    (tmp_path / "app.py").write_text(RESTLESS)
    (tmp_path / "pages" / "quiet.py").write_text(QUIET)
    with serving(Workspace(tmp_path / "workspace"), str(tmp_path / "app.py")) as server:
        yield server.url


def test_the_other_page_stays_whatever_the_one_before_still_asks_for(
    address: str, chromium: Browser
) -> None:
    page = chromium.new_page()
    for _ in range(3):
        page.goto(address)
        expect(page.get_by_text("restless", exact=True)).to_be_visible()
        page.get_by_role("button", name="Go").click()
        expect(page.locator("h1")).to_have_text("Quiet")
        expect(page.get_by_text("All is there")).to_be_visible()
        page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
        page.wait_for_timeout(500)  # what would empty the window comes after the page's end
        expect(page.locator("h1")).to_have_text("Quiet")
        assert page.url == f"{address}/quiet?came=yes"
    page.close()
