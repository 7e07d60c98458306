"""What tests of what pages share start from."""

import pytest


@pytest.fixture(autouse=True, scope="module")
def _quick_pages(components_known: None, little_to_collect: None) -> None:
    """Most of these tests run a page."""
