"""A browser with a camera, for the tests that look through it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser

from tests.browser.conftest import QUIET, Server, Visitor, visiting

CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
"""The camera shows a picture that moves, and may be used without asking."""


@contextmanager
def visiting_with_camera(chromium: Browser, server: Server) -> Iterator[Visitor]:
    """A visitor whose browser has a camera."""
    browser = chromium.browser_type.launch(
        executable_path=os.environ["CHROMIUM"], args=[*QUIET, *CAMERA]
    )
    try:
        with visiting(browser, server) as visitor:
            yield visitor
    finally:
        browser.close()
